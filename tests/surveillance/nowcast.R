# What R computes of nowcasts and reproduction numbers, for nowcast.py to hold carnet against.
#
#   Rscript nowcast.R FOLDER
#
# writes FOLDER/reports.csv (the hospital reports of the package's husO104Hosp) and
# FOLDER/nowcast.tsv: what, parameters, numbers, the call. Needs r-base-core and
# r-cran-surveillance. The reproduction numbers are computed here, from the paper's formulas by
# numerical integration where carnet has closed forms.
suppressMessages(library(surveillance))
folder <- commandArgs(TRUE)[1]
text <- function(v) paste(ifelse(is.na(v), "NA", formatC(v, digits = 12, format = "g", width = 1)),
                          collapse = " ")
out <- paste("# Written by nowcast.R with R", getRversion(), "and surveillance",
             packageVersion("surveillance"))
put <- function(what, parameters, numbers, call)
  out <<- c(out, paste(what, parameters, numbers, call, sep = "\t"))

data(husO104Hosp)
pairs <- table(paste(husO104Hosp$dHosp, husO104Hosp$dReport, sep = ","))
parts <- do.call(rbind, strsplit(names(pairs), ","))
writeLines(c("date,count,reported", paste(parts[, 1], as.integer(pairs), parts[, 2], sep = ",")),
           file.path(folder, "reports.csv"))

# Medians and 95 % limits of the last days.
lawless <- function(now, D, m, days) {
  now <- as.Date(now)
  call <- paste0('nowcast(now = "', now, '", when = seq(now - ', days - 1, ', now, 1), ',
                 'husO104Hosp, "dHosp", "dReport", D = ', D, ', m = ',
                 if (is.null(m)) "NULL" else m, ', method = "lawless")')
  r <- nowcast(now = now, when = seq(now - days + 1, now, by = "1 day"), data = husO104Hosp,
    dEventCol = "dHosp", dReportCol = "dReport", D = D, m = m, method = "lawless",
    control = list(dRange = range(husO104Hosp$dHosp, na.rm = TRUE), alpha = 0.05))
  i <- match(seq(now - days + 1, now, by = "1 day"), epoch(r))
  put("lawless", paste("--as-of", now, "--longest", D, "--window",
                       if (is.null(m)) 0 else m, "--last", days),
      text(as.vector(rbind(r@pi[i, 1, 1], upperbound(r)[i], r@pi[i, 1, 2]))), call)
}
capture.output({
  lawless("2011-06-02", 15, NULL, 10)
  lawless("2011-06-10", 15, NULL, 12)
  lawless("2011-06-10", 15, 20, 12)
  lawless("2011-06-05", 10, NULL, 8)
  lawless("2011-06-14", 12, 15, 9)
}, file = nullfile())

# Cori et al. 2013: the interval from a day to a day is a triangle around whole days.
interval <- function(mean, sd, n) sapply(seq_len(n), function(k) {
  shape <- ((mean - 1) / sd)^2; scale <- sd^2 / (mean - 1)
  f <- function(x) dgamma(x - 1, shape, scale = scale) * (1 - abs(x - k))
  part <- function(a, b) if (b <= 1) 0 else
    integrate(f, max(a, 1), b, rel.tol = 1e-12, abs.tol = 1e-14)$value
  part(k - 1, k) + part(k, k + 1)
})
estimate <- function(counts, w, window) {
  n <- length(counts)
  expected <- sapply(seq_len(n), function(t) if (t == 1) 0 else
    sum(counts[(t - 1):1] * w[seq_len(t - 1)]))
  t <- (window + 1):n
  list(t = t, shape = 1 + sapply(t, function(t) sum(counts[(t - window + 1):t])),
       rate = 0.2 + sapply(t, function(t) sum(expected[(t - window + 1):t])))
}
set.seed(20260202)
counts <- c(1, 2, rpois(38, 3 * exp(0.09 * (1:38))))
put("counts", "-", text(counts), "rpois(38, 3 * exp(0.09 * (1:38)))")
for (si in list(c(2.6, 1.5), c(8.4, 3.8), c(14.9, 3.9))) {
  e <- estimate(counts, interval(si[1], si[2], 40), 7)
  put("rt", paste("--si-mean", si[1], "--si-sd", si[2]),
      text(as.vector(rbind(e$shape / e$rate, sqrt(e$shape) / e$rate,
                           qgamma(0.025, e$shape, e$rate), qgamma(0.5, e$shape, e$rate),
                           qgamma(0.975, e$shape, e$rate)))),
      "qgamma(p, 1 + sum(I), 1 / 5 + sum(Lambda))")
}
# Uncertain: a mixture over 30 x 30 points of Gauss and Legendre's rule, by eigenvalues.
points <- function(mean, sd, min, max, n = 30) {
  k <- seq_len(n - 1); off <- k / sqrt(4 * k^2 - 1); m <- matrix(0, n, n)
  m[cbind(k, k + 1)] <- off; m[cbind(k + 1, k)] <- off
  e <- eigen(m, symmetric = TRUE)
  x <- (min + max) / 2 + (max - min) / 2 * e$values
  w <- e$vectors[1, ]^2 * dnorm(x, mean, sd)
  list(x = x, w = w / sum(w))
}
shape <- NULL; rates <- NULL; weights <- NULL
means <- points(8.4, 1, 6, 11)
for (i in seq_along(means$x)) {
  sds <- points(3.8, 0.7, 2, min(5, means$x[i]))
  for (k in seq_along(sds$x)) {
    e <- estimate(counts, interval(means$x[i], sds$x[k], 39), 7)
    shape <- e$shape; rates <- rbind(rates, e$rate)
    weights <- c(weights, means$w[i] * sds$w[k])
  }
}
mixed <- sapply(seq_along(shape), function(i) {
  r <- rates[, i]; m <- sum(weights * shape[i] / r)
  q <- sapply(c(0.025, 0.5, 0.975), function(p)
    uniroot(function(x) sum(weights * pgamma(x, shape[i], r)) - p, c(1e-6, 300), tol = 1e-10)$root)
  c(m, sqrt(sum(weights * shape[i] * (shape[i] + 1) / r^2) - m^2), q)
})
put("rt-uncertain", "--si-mean 8.4,1,6,11 --si-sd 3.8,0.7,2,5", text(as.vector(mixed)),
    "mixture over 30 x 30 intervals")
writeLines(out, file.path(folder, "nowcast.tsv"))
