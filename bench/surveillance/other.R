# Simulated series that the usual scenarios leave out, to see that what is good there is good here:
#
#   Rscript other.R FILE [SERIES]
#
# writes what series.R writes; scenario 1: a sharp season (one bump of 8 weeks a year); 2: peaks that
# shift by up to 6 weeks from year to year and vary in height; 3: reporting jumps (the level changes by
# half or double at two times); 4: excess zeros (one week in six is not reported); 5: two waves a year
# and a slow random walk of the level. Ten years; outbreaks as in series.R.
arguments <- commandArgs(TRUE)
file <- arguments[1]
replicates <- if (length(arguments) > 1) as.integer(arguments[2]) else 60
weeks <- 624; current <- 576:624; baseline <- 313:575; t <- 1:weeks; year <- (t - 1) %/% 52 + 1

season <- list(
  function() 1.6 * exp(-((t - 1) %% 52 - 20)^2 / 32),
  function() { shift <- round(runif(13, -6, 6)); height <- runif(13, .4, 1.3)
    height[year] * cos(2 * pi * (t - shift[year]) / 52) },
  function() { when <- sort(sample(330:560, 2)); step <- sample(log(c(.5, 2)), 2, TRUE)
    .5 * cos(2 * pi * t / 52) + (t >= when[1]) * step[1] + (t >= when[2]) * step[2] },
  function() .6 * sin(2 * pi * t / 52),
  function() .5 * cos(2 * pi * t / 52) + .4 * sin(4 * pi * t / 52) + cumsum(rnorm(weeks, 0, .03)))

outbreak <- function(y, start, k, sd) {
  size <- 0
  while (size < 2) size <- rpois(1, k * sd[start])
  when <- start + floor(rlnorm(size, 0, .5))
  when <- when[when <= weeks]
  n <- table(when)
  y[as.integer(names(n))] <- y[as.integer(names(n))] + as.integer(n)
  list(y = y, weeks = range(when))
}

lines <- sapply(seq_len(length(season) * replicates), function(id) {
  set.seed(20260000 + id)
  number <- (id - 1) %/% replicates + 1
  phi <- sample(c(1.05, 1.5, 2.5, 4), 1)
  mu <- exp(runif(1, -1, 3.5) + season[[number]]()); sd <- sqrt(mu * phi)
  clean <- rnbinom(weeks, size = mu / (phi - 1), prob = 1 / phi)
  if (number == 4) clean <- clean * (runif(weeks) > 1 / 6)
  y <- clean
  for (k in sample(c(2, 3, 5, 10), 4, TRUE)) y <- outbreak(y, sample(baseline, 1), k, sd)$y
  k <- sample(1:10, 1)
  now <- outbreak(y, sample(current, 1), k, sd)
  paste(number, k, now$weeks[1], now$weeks[2], paste(clean, collapse = " "),
        paste(now$y, collapse = " "), sep = "\t")
})
writeLines(lines, file)
