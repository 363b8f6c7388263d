# Makes a series (FILE, one count a line) and times R's detectors on its last 52 weeks: speed.R FILE
suppressMessages(library(surveillance))
set.seed(7)
y <- rnbinom(624, mu = exp(2 + .6 * cos(2 * pi * (1:624) / 52)), size = 5)
writeLines(as.character(y), commandArgs(TRUE)[1])
x <- sts(observed = y, frequency = 52, start = c(2001, 1))
time <- function(name, f) cat(name, 1000 * min(replicate(3, system.time(f())["user.self"])), "\n")
r <- 573:624
time("farrington-flexible", function() farringtonFlexible(x, list(range = r, b = 5, w = 3,
  noPeriods = 10, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1,
  thresholdMethod = "nbPlugin", limit54 = c(0, 4), glmWarnings = FALSE)))
time("ears-c3", function() earsC(x, list(range = r, method = "C3")))
time("bayes1", function() bayes(x, list(range = r, b = 0, w = 6, actY = TRUE, alpha = .05)))
