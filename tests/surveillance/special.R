# Prints the table of tests/unit/surveillance/special_test.c: R's distribution functions, which are an
# implementation of their own. Run: Rscript special.R
digits <- function(x) formatC(x, digits = 17, format = "g", width = 1)
row <- function(kind, ..., value) cat("    {", kind, ", {",
  paste(digits(c(...)), collapse = ", "), "}, ", digits(value), "},\n", sep = "")
for (p in c(1e-300, 1e-12, 0.005, 0.1, 0.5, 0.75, 0.95, 0.995, 1 - 1e-9))
  row("NORM_QUANTILE", p, value = qnorm(p))
for (z in c(-38, -5, -0.3, 0, 1.7, 9, 30)) row("NORM_ABOVE", z, value = pnorm(z, lower.tail = FALSE))
for (a in c(0.01, 0.5, 1, 3.7, 20, 1000.5, 1e6, 1e9)) for (f in c(0.2, 0.9, 0.9999, 1, 1.001, 1.3, 4)) {
  x <- a * f
  if (pgamma(x, a) > 1e-290) row("GAMMA_BELOW", a, x, value = pgamma(x, a))
  if (pgamma(x, a, lower.tail = FALSE) > 1e-290)
    row("GAMMA_ABOVE", a, x, value = pgamma(x, a, lower.tail = FALSE))
}
for (mean in c(0.05, 1, 6.3, 80, 2000, 5e5)) for (phi in c(1.01, 1.5, 4, 60)) {
  for (k in unique(pmax(0, round(mean + c(-2, 0, 1, 4) * sqrt(mean * phi))))) {
    row("NB_BELOW", k, mean, phi, value = pnbinom(k, size = mean / (phi - 1), prob = 1 / phi))
    row("NB_FROM", k + 1, mean, phi,
        value = pnbinom(k, size = mean / (phi - 1), prob = 1 / phi, lower.tail = FALSE))
  }
  for (p in c(1e-9, 0.01, 0.5, 0.9, 0.995, 1 - 1e-7))
    row("NB_QUANTILE", p, mean, phi, value = qnbinom(p, size = mean / (phi - 1), prob = 1 / phi))
}
for (mean in c(1e-10, 0.05, 1, 6.3, 80, 2000, 5e5, 1e9)) for (p in c(1e-9, 0.3, 0.95, 0.995))
  row("POISSON_QUANTILE", p, mean, value = qpois(p, mean))
for (df in c(1, 2, 5.5, 19, 200, 1e5)) for (t in c(0, 0.1, 1.3, -2.6, 8, 40))
  row("STUDENT", t, df, value = 2 * pt(-abs(t), df))
