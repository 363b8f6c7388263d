# What R's package `surveillance` computes, for the tests to hold carnet detect against.
#
#   Rscript expected.R FOLDER        the two published series that the tests keep, and made-up ones
#   Rscript expected.R FOLDER all    the same calls on every weekly series of the package
#
# writes FOLDER/series.tsv (name, first day or "-", counts) and FOLDER/expected.tsv (series, range,
# method, parameters for --set, thresholds, alarms, the call). Needs r-base-core and
# r-cran-surveillance.
suppressMessages(library(surveillance))
arguments <- commandArgs(TRUE)
folder <- arguments[1]
everything <- length(arguments) > 1 && arguments[2] == "all"

series <- list()
add <- function(name, counts, first = NA) {
  counts <- as.numeric(counts)
  x <- if (is.na(first)) sts(observed = counts, frequency = 52, start = c(1990, 1))
       else sts(observed = counts, epoch = as.numeric(as.Date(first)) + 7 * (seq_along(counts) - 1),
                epochAsDate = TRUE, frequency = 52)
  series[[name]] <<- list(x = x, y = counts, first = first)
}

data(salmNewport); newport <- aggregate(salmNewport, by = "unit")
add("salmNewport", observed(newport), as.character(epoch(newport)[1]))
data(salmonella.agona)
add("salmonella.agona", salmonella.agona$observed)
if (everything) {
  for (name in c("shadar", "ha", "hepatitisA", "influMen", "k1", "m1", "m2", "m3", "m4", "m5", "n1",
                 "n2", "q1_nrwh", "q2", "s1", "s2", "s3", "h1_nrwrp")) {
    place <- new.env(); data(list = name, envir = place)
    y <- as.matrix(get(name, place)$observed)
    for (i in seq_len(ncol(y))) add(paste0(name, ".", i), y[, i])
  }
  for (name in c("stsNewport", "salmHospitalized", "salmAllOnset", "momo", "fluBYBW", "measlesDE",
                 "ha.sts", "abattoir")) {
    place <- new.env(); data(list = name, envir = place); x <- get(name, place)
    for (i in seq_len(min(8, ncol(x))))
      add(paste0(name, ".", i), observed(x)[, i],
          if (x@epochAsDate) as.character(epoch(x)[1]) else NA)
  }
} else {
  set.seed(20260101)
  add("zeros", rep(0, 360), "2015-01-05")
  add("constant", rep(7, 360), "2015-01-05")
  add("sparse", rpois(420, 0.15), "2014-06-02")
  add("huge", round(rnbinom(420, mu = 40e6, size = 30)), "2014-06-02")
  add("week53", rnbinom(640, mu = exp(2 + 0.8 * cos(2 * pi * (1:640) / 52.18)), size = 4),
      "2008-12-29")
  add("trend", rpois(420, exp(0.5 + (1:420) / 180)), "2014-06-02")
  outbreaks <- rpois(420, 4); outbreaks[c(60:66, 190:193, 300, 411:416)] <- 25
  add("outbreaks", outbreaks)
}

# method of carnet, its parameters, how many earlier points it takes, the call for `x` and range `r`
calls <- read.table(header = TRUE, sep = "|", strip.white = TRUE, quote = "", comment.char = "",
  stringsAsFactors = FALSE, text = '
method | set | needs | call
ears-c1 | alpha=0.05 | 8 | earsC(x, list(range = r, method = "C1", alpha = 0.05))
ears-c1 | minSigma=2,baseline=9 | 10 | earsC(x, list(range = r, method = "C1", minSigma = 2, baseline = 9))
ears-c2 | | 10 | earsC(x, list(range = r, method = "C2"))
ears-c3 | alpha=0.05 | 12 | earsC(x, list(range = r, method = "C3", alpha = 0.05))
ears-c3 | minSigma=1 | 12 | earsC(x, list(range = r, method = "C3", minSigma = 1))
rki1 | | 10 | rki(x, list(range = r, b = 0, w = 6, actY = TRUE))
rki2 | | 60 | rki(x, list(range = r, b = 1, w = 6, actY = TRUE))
rki3 | | 110 | rki(x, list(range = r, b = 2, w = 4, actY = FALSE))
cdc | b=3 | 165 | { p <- suppressWarnings(algo.cdc(sts2disProg(x), list(range = r, b = 3, m = 1, alpha = 0.025))); p }
cdc | b=3,m=2,alpha=0.01 | 169 | { p <- suppressWarnings(algo.cdc(sts2disProg(x), list(range = r, b = 3, m = 2, alpha = 0.01))); p }
bayes1 | | 10 | bayes(x, list(range = r, b = 0, w = 6, actY = TRUE, alpha = 0.05))
bayes2 | alpha=0.01 | 60 | bayes(x, list(range = r, b = 1, w = 6, actY = TRUE, alpha = 0.01))
bayes3 | alpha=0.001 | 110 | bayes(x, list(range = r, b = 2, w = 4, actY = FALSE, alpha = 0.001))
cusum | | 60 | cusum(x, list(range = r, k = 1.04, h = 2.26, m = NULL, trans = "standard"))
cusum | m=glm,trans=rossi | 60 | cusum(x, list(range = r, k = 1.04, h = 2.26, m = "glm", trans = "rossi"))
cusum | k=0.5,h=4,trans=anscombe | 60 | cusum(x, list(range = r, k = 0.5, h = 4, m = NULL, trans = "anscombe"))
cusum | m=glm,trans=anscombe2nd | 60 | cusum(x, list(range = r, k = 1.04, h = 2.26, m = "glm", trans = "anscombe2nd"))
cusum | expected=5,trans=pearsonNegBin,dispersion=0.3 | 60 | cusum(x, list(range = r, k = 1.04, h = 2.26, m = 5, trans = "pearsonNegBin", alpha = 0.3))
cusum | trans=none | 60 | cusum(x, list(range = r, k = 1.04, h = 2.26, m = NULL, trans = "none"))
farrington | b=3,alpha=0.01 | 161 | farrington(x, list(range = r, b = 3, w = 3, alpha = 0.01))
farrington | b=2,w=2,power=1/2 | 108 | farrington(x, list(range = r, b = 2, w = 2, alpha = 0.05, powertrans = "1/2", reweight = TRUE, verbose = FALSE, trend = TRUE, limit54 = c(5, 4), fitFun = "algo.farrington.fitGLM.fast"))
farrington | b=3,reweight=no,power=none,limitCases=0 | 161 | farrington(x, list(range = r, b = 3, w = 3, alpha = 0.05, powertrans = "none", reweight = FALSE, verbose = FALSE, trend = TRUE, limit54 = c(0, 4), fitFun = "algo.farrington.fitGLM.fast"))
farrington-flexible | noPeriods=1,b=3,w=3,weightsThreshold=1,pastWeeksNotIncluded=3,pThresholdTrend=0.05,thresholdMethod=delta,limitCases=0,limitPoints=50 | 161 | farringtonFlexible(x, list(range = r, noPeriods = 1, b = 3, w = 3, weightsThreshold = 1, pastWeeksNotIncluded = 3, pThresholdTrend = 0.05, thresholdMethod = "delta", limit54 = c(0, 50), glmWarnings = FALSE))
farrington-flexible | noPeriods=10,b=3,w=3,limitCases=0,limitPoints=50 | 161 | farringtonFlexible(x, list(range = r, noPeriods = 10, b = 3, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "nbPlugin", limit54 = c(0, 50), glmWarnings = FALSE))
farrington-flexible | b=3,alpha=0.005 | 161 | farringtonFlexible(x, list(range = r, noPeriods = 10, b = 3, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "nbPlugin", alpha = 0.005, glmWarnings = FALSE))
farrington-flexible | b=3,alpha=0.1,thresholdMethod=delta | 161 | farringtonFlexible(x, list(range = r, noPeriods = 10, b = 3, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "delta", alpha = 0.1, glmWarnings = FALSE))
farrington-flexible | b=3,thresholdMethod=muan | 161 | farringtonFlexible(x, list(range = r, noPeriods = 10, b = 3, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "muan", glmWarnings = FALSE))
farrington-flexible | b=2,w=4,noPeriods=6,pastWeeksNotIncluded=10,thresholdMethod=delta,power=none,reweight=no | 112 | farringtonFlexible(x, list(range = r, noPeriods = 6, b = 2, w = 4, weightsThreshold = 2.58, pastWeeksNotIncluded = 10, pThresholdTrend = 1, thresholdMethod = "delta", powertrans = "none", reweight = FALSE, glmWarnings = FALSE))
farrington-flexible | b=3,thresholdMethod=delta,power=1/2,trend=no | 161 | farringtonFlexible(x, list(range = r, noPeriods = 10, b = 3, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "delta", powertrans = "1/2", trend = FALSE, glmWarnings = FALSE))
glr-poisson | ret=value | 60 | glrpois(x, list(range = r, c.ARL = 5, mu0 = list(S = 1, trend = FALSE), change = "intercept", ret = "value", dir = "inc"))
glr-poisson | S=2,trend=yes | 60 | glrpois(x, list(range = r, c.ARL = 5, mu0 = list(S = 2, trend = TRUE), change = "intercept", ret = "cases", dir = "inc"))
glr-nb | dispersion=0,ret=value | 60 | glrnb(x, list(range = r, c.ARL = 5, mu0 = list(S = 1, trend = FALSE), alpha = 0, change = "intercept", ret = "value", dir = "inc"))
glr-nb | dispersion=0.2,ret=value,cARL=4 | 60 | glrnb(x, list(range = r, c.ARL = 4, mu0 = list(S = 1, trend = FALSE), alpha = 0.2, change = "intercept", ret = "value", dir = "inc"))
outbreakp | ret=value | 1 | outbreakP(x, list(range = r, k = 100, ret = "value"))
outbreakp | k=50 | 1 | outbreakP(x, list(range = r, k = 50, ret = "cases"))
')
calls <- rbind(calls, data.frame(method = "farrington-flexible", needs = 213, set = c(
  "noPeriods=1,b=4,w=3,weightsThreshold=1,pastWeeksNotIncluded=3,pThresholdTrend=0.05,thresholdMethod=delta,limitCases=0,limitPoints=50",
  "b=4,limitCases=0,limitPoints=50",
  "b=4,alpha=0.1,thresholdMethod=delta"), call = c(
  'farringtonFlexible(x, list(range = r, noPeriods = 1, b = 4, w = 3, weightsThreshold = 1, pastWeeksNotIncluded = 3, pThresholdTrend = 0.05, thresholdMethod = "delta", limit54 = c(0, 50), glmWarnings = FALSE))',
  'farringtonFlexible(x, list(range = r, noPeriods = 10, b = 4, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "nbPlugin", limit54 = c(0, 50), glmWarnings = FALSE))',
  'farringtonFlexible(x, list(range = r, noPeriods = 10, b = 4, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = "delta", alpha = 0.1, glmWarnings = FALSE))')))

ranges <- list(salmNewport = 366:417, salmonella.agona = 282:312)
text <- function(v) paste(ifelse(is.na(v), "NA", formatC(v, digits = 15, format = "g", width = 1)),
                          collapse = " ")
results <- list()
for (name in names(series)) for (i in seq_len(nrow(calls))) {
  x <- series[[name]]$x; n <- length(series[[name]]$y)
  r <- if (is.null(ranges[[name]])) (n - 29):n else ranges[[name]]
  # The search for the count is slow in R where counts are large.
  if (grepl("outbreakP.*cases", calls$call[i]) && max(series[[name]]$y) > 500) next
  if (min(r) < calls$needs[i]) next
  # No cases before the range: nothing is expected, and R's thresholds are made up.
  if (grepl("cusum|glr", calls$method[i]) && sum(series[[name]]$y[seq_len(min(r) - 1)]) == 0) next
  result <- tryCatch(suppressWarnings(suppressMessages(eval(parse(text = calls$call[i])))),
                     error = function(e) NULL)
  if (is.null(result)) { cat("R cannot:", name, calls$call[i], "\n"); next }
  upper <- if (inherits(result, "sts")) upperbound(result) else result$upperbound
  alarm <- if (inherits(result, "sts")) alarms(result) else result$alarm
  results[[length(results) + 1]] <- paste(name, paste0(min(r), ":", max(r)), calls$method[i],
    if (nchar(calls$set[i])) calls$set[i] else "-", text(as.numeric(upper)),
    text(as.numeric(alarm)), calls$call[i], sep = "\t")
}
writeLines(c(paste("# Written by expected.R with R", getRversion(), "and surveillance",
                   packageVersion("surveillance")), unlist(results)),
           file.path(folder, "expected.tsv"))
writeLines(sapply(names(series), function(n) paste(n, if (is.na(series[[n]]$first)) "-" else
  series[[n]]$first, paste(format(series[[n]]$y, scientific = FALSE, trim = TRUE), collapse = " "),
  sep = "\t")), file.path(folder, "series.tsv"))
