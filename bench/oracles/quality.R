# What R says of charts, intervals and waits. Writes the figures, with the made-up data that they are
# of, as JSON, a fixture of tests/transforms/measures:
#   Rscript bench/oracles/quality.R tests/transforms/measures/fixtures/quality.json
# Debian: r-cran-survival r-cran-jsonlite. Debian has no package of qicharts2, so its formulas are
# computed here from their definitions: Anhoej 2014 (PLoS ONE 9:e113825), Nelson 1982 (J Qual Technol
# 14:172), Montgomery's p-chart; shares by prop.test, waits by survfit.
suppressPackageStartupMessages({ library(survival); library(jsonlite) })
set.seed(20260630)

runs <- function(y) {
  side <- sign(y - median(y)); useful <- side[side != 0]; lengths <- rle(useful)$lengths
  n <- length(useful); crossings <- length(lengths) - 1
  list(values = y, n = n, longest = max(lengths), crossings = crossings,
       longest_max = round(log2(n)) + 3, crossings_min = qbinom(0.05, n - 1, 0.5),
       long = max(lengths) > round(log2(n)) + 3, few = crossings < qbinom(0.05, n - 1, 0.5))
}
series <- list(
  runs(round(rnorm(12, 50, 5))), runs(c(41, 42, 43, 44, 45, 46, 54, 55, 56, 57, 58, 59)),
  runs(c(10, 12, 9, 13, 8, 14, 10, 11, 12, 9, 13, 11)), runs(round(rnorm(19, 50, 5), 1)),
  runs(c(rep(c(5, 7), 4), 8, 8.1, 8.2, 8.3, 8.4, 8.5, 8.6, 8.7, 4, 4.1, 4.2)),
  runs(round(cumsum(rnorm(19)), 2)))

p_chart <- function(r, n) {
  centre <- sum(r) / sum(n); s <- sqrt(centre * (1 - centre) / n)
  list(numerator = r, denominator = n, centre = centre,
       lower = pmax(0, centre - 3 * s), upper = pmin(1, centre + 3 * s))
}
n <- rpois(24, 60) + 10
shares <- p_chart(rbinom(24, n, 0.3), n)

xmr_chart <- function(y) {
  ranges <- abs(diff(y)); kept <- ranges[ranges < 3.267 * mean(ranges)]
  sigma <- mean(kept) / 1.128
  list(values = y, centre = mean(y), lower = max(0, mean(y) - 3 * sigma), upper = mean(y) + 3 * sigma)
}
values <- xmr_chart(round(c(rnorm(23, 20, 3), 60), 1))

wilson <- lapply(list(c(0, 10), c(3, 10), c(10, 10), c(45, 120), c(5, 1000)), function(x) {
  limits <- suppressWarnings(prop.test(x[1], x[2], correct = FALSE)$conf.int)
  list(count = x[1], total = x[2], lower = limits[1], upper = limits[2])
})

waits <- lapply(list(c(40, 20), c(200, 12), c(15, 3), c(30, 90)), function(x) {
  days <- pmin(round(rexp(x[1], 1 / x[2])), 30); ended <- days < 30 & runif(x[1]) < 0.9
  fit <- survfit(Surv(days, ended) ~ 1, conf.type = "log")
  found <- quantile(fit, 0.5)
  list(days = days, ended = ended, median = unname(found$quantile), lower = unname(found$lower),
       upper = unname(found$upper))
})

crossings <- lapply(1:60, function(n) list(n = n, longest_max = round(log2(n)) + 3,
                                           crossings_min = qbinom(0.05, max(n - 1, 0), 0.5)))
writeLines(toJSON(list(versions = list(R = R.version.string,
                                       survival = as.character(packageVersion("survival"))),
                       runs = series, p = shares, xmr = values, wilson = wilson, waits = waits,
                       limits = crossings),
                  auto_unbox = TRUE, digits = 12, pretty = FALSE, na = "null"), commandArgs(TRUE)[1])
