# What R says of CUSUMs, their run lengths, expected events and the C of right predictions, as JSON,
# a fixture of tests/models/performance:
#   Rscript bench/oracles/surveillance.R tests/models/performance/fixtures/surveillance.json
# Debian: r-cran-survival r-cran-jsonlite. Paths by a loop, run lengths and the C by simulation, the
# expected events by numerical integration, the interval of a count by poisson.test (exact).
suppressPackageStartupMessages({ library(survival); library(jsonlite) })
set.seed(20260630)

path <- function(o, e, r) {
  s <- 0; out <- numeric(length(o))
  for (i in seq_along(o)) { s <- max(0, s + o[i] * log(r) - (r - 1) * e[i]); out[i] <- s }
  out
}
e <- round(runif(24, 0.5, 9), 3); o <- rpois(24, e * c(rep(1, 12), rep(1.8, 12)))
paths <- list(observed = o, expected = e, more = path(o, e, 1.5), fewer = path(o, e, 1 / 1.5))

run_length <- function(r, h, runs) {
  one <- function() {
    s <- 0; t <- 0
    repeat {
      wait <- rexp(1)
      if (r > 1) {
        s <- max(0, s - (r - 1) * wait) + log(r); t <- t + wait
        if (s >= h) return(t)
      } else {
        up <- (1 - r) * wait
        if (s + up >= h) return(t + (h - s) / (1 - r))
        s <- max(0, s + up + log(r)); t <- t + wait
      }
    }
  }
  times <- replicate(runs, one())
  list(ratio = r, threshold = h, mean = mean(times), error = sd(times) / sqrt(runs))
}
lengths <- list(run_length(1.5, 4.5, 2000), run_length(1 / 1.5, 4.5, 2000),
                run_length(2, 4, 4000), run_length(1 / 2, 4, 4000))

survivals <- rbind(c(0.95, 0.9, 0.7), c(0.8, 0.6, 0.4), c(0.99, 0.98, 0.97))
start <- c(0, 2.5, 9.4); end <- c(1.7, 6.2, 12.3)
rate <- function(s) { h <- -log(s); c(h[1] / 3, (h[2] - h[1]) / 2, (h[3] - h[2]) / 5) }
hazard <- function(t, s) rate(s)[ifelse(t < 3, 1, ifelse(t < 5, 2, 3))]
due <- sapply(1:3, function(i) {
  cuts <- sort(unique(c(start[i], end[i], Filter(function(k) k > start[i] && k < end[i], c(3, 5)))))
  sum(sapply(seq_len(length(cuts) - 1), function(j)
    integrate(function(t) hazard(t, survivals[i, ]), cuts[j], cuts[j + 1])$value))
})

n <- 40000; lp <- rnorm(n, 0, 1); h <- 0.08 * exp(lp); time <- rexp(n) / h
right <- concordance(Surv(pmin(time, 3), time <= 3) ~ h, reverse = TRUE)

counts <- c(1, 4, 17, 120)
exact <- t(sapply(counts, function(k) poisson.test(k)$conf.int))
writeLines(toJSON(list(paths = paths, lengths = lengths,
                       due = list(survivals = survivals, start = start, end = end, due = due),
                       right = list(hazard = qlnorm(ppoints(400), log(0.24), 1),
                                    c = unname(right$concordance), error = sqrt(right$var)),
                       counts = list(events = counts, lower = exact[, 1], upper = exact[, 2])),
                  auto_unbox = TRUE, digits = NA, pretty = 1), commandArgs(TRUE)[1])
