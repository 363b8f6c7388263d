# Simulated series with outbreaks, after Noufaily et al. 2013: 42 scenarios of 30 series each with
# R's default generator and one seed a series.
#
#   Rscript series.R FILE
#
# writes a line a series: scenario, outbreak size k, first and last week of the current outbreak, the
# 624 clean counts, the 624 counts with past outbreaks and the current one (tabs; counts by blanks).
file <- commandArgs(TRUE)[1]
clusters <- data.frame(theta = c(.1, -2, 1.5, .5, 2.5, 3.75, 5),
  beta = c(.0025, .005, .003, .002, .001, .001, .0001), g1 = c(.6, .1, .2, .5, 1, .1, .05),
  g2 = c(.6, .3, -.4, .5, .1, -.1, .01), phi = c(1.5, 2, 1, 5, 3, 1.1, 1.2))
weeks <- 624; current <- 576:624; baseline <- 313:575; replicates <- 30

scenarios <- do.call(rbind, lapply(1:7, function(i) do.call(rbind, lapply(0:1, function(trend)
  do.call(rbind, lapply(0:2, function(m) {
    s <- clusters[i, ]; s$beta <- s$beta * trend; s$m <- m; s
  }))))))

mean_of <- function(s) {
  t <- 1:weeks
  eta <- s$theta + s$beta * t
  for (j in seq_len(s$m)) eta <- eta + s$g1 * cos(2 * pi * j * t / 52) + s$g2 * sin(2 * pi * j * t / 52)
  exp(eta)
}
counts_of <- function(mu, phi)
  if (phi == 1) rpois(weeks, mu) else rnbinom(weeks, size = mu / (phi - 1), prob = 1 / phi)
outbreak <- function(y, start, k, sd) {
  size <- 0
  while (size < 2) size <- rpois(1, k * sd[start])
  when <- start + floor(rlnorm(size, 0, .5))
  when <- when[when <= weeks]
  n <- table(when)
  y[as.integer(names(n))] <- y[as.integer(names(n))] + as.integer(n)
  list(y = y, weeks = range(when))
}

lines <- sapply(seq_len(nrow(scenarios) * replicates), function(id) {
  set.seed(20130000 + id)
  number <- (id - 1) %/% replicates + 1
  s <- scenarios[number, ]
  mu <- mean_of(s); sd <- sqrt(mu * s$phi)
  clean <- y <- counts_of(mu, s$phi)
  for (k in sample(c(2, 3, 5, 10), 4, TRUE)) y <- outbreak(y, sample(baseline, 1), k, sd)$y
  k <- sample(1:10, 1)
  now <- outbreak(y, sample(current, 1), k, sd)
  paste(number, k, now$weeks[1], now$weeks[2], paste(clean, collapse = " "),
        paste(now$y, collapse = " "), sep = "\t")
})
writeLines(lines, file)
