# What R says of how predictions hold on outcomes. Writes the data (public, from R's packages, with
# predictions by fixed equations) as CSV and the figures as JSON, fixtures of tests/models/performance:
#   Rscript bench/oracles/performance.R tests/models/performance/fixtures
# Debian: r-cran-survival r-cran-rms r-cran-riskregression r-cran-maxstat r-cran-survminer
# r-cran-cmprsk r-cran-proc r-cran-geepack r-cran-pec r-cran-metafor r-cran-jsonlite
suppressPackageStartupMessages({
  library(survival); library(rms); library(riskRegression); library(maxstat); library(pROC)
  library(geepack); library(metafor); library(prodlim); library(cmprsk)
})
folder <- commandArgs(TRUE)[1]
cll <- function(p) log(-log(1 - p))

# --- the data: time, event (0, 1, 2), linear_predictor, risk by the horizon, group -------------
gbsg_data <- function() {
  capped <- pmin(gbsg$nodes, 19)
  bend <- as.vector(Hmisc::rcspline.eval(capped, knots = c(0, 1, 9)))
  lp <- with(gbsg, .342 * (size > 20 & size <= 50) + .574 * (size > 50) + .304 * capped
             - .811 * bend + .362 * (grade == 3))
  data.frame(time = gbsg$rfstime / 365.25, event = gbsg$status, linear_predictor = lp,
             risk = 1 - 0.804^exp(lp), group = as.character(gbsg$hormon))
}
tied_data <- function() within(gbsg_data(), time <- ceiling(time * 2) / 2)   # half-years
mgus_data <- function() {                        # months; 1 progression, 2 death without it
  d <- mgus2[!is.na(mgus2$mspike), ]
  event <- ifelse(d$pstat == 1, 1, ifelse(d$death == 1, 2, 0))
  lp <- 0.9 * (d$mspike - 1.2) + 0.01 * (d$age - 70)
  data.frame(time = ifelse(d$pstat == 1, d$ptime, d$futime), event = event,
             linear_predictor = lp, risk = 1 - exp(-0.09 * exp(lp)), group = as.character(d$sex))
}
few_data <- function() data.frame(time = ovarian$futime / 30.4375, event = ovarian$fustat,
  linear_predictor = 0.15 * (ovarian$age - 56), risk = 1 - exp(-0.4 * exp(0.15 * (ovarian$age - 56))),
  group = as.character(ovarian$rx))
sah_data <- function() {
  lp <- with(aSAH, -3.2 + 0.9 * as.integer(wfns) + 1.5 * (s100b - 0.25))
  data.frame(y = as.integer(aSAH$outcome == "Poor"), p = round(plogis(lp), 3))
}

# --- figures at a horizon ------------------------------------------------------------------
cut_at <- function(d, h) within(d, {event[time > h] <- 0; time <- pmin(time, h)})

at_horizon <- function(d, h) {
  d5 <- cut_at(d, h); competing <- any(d$event == 2); out <- list(horizon = h)
  score <- Score(list(m = d$risk), formula = Hist(time, event) ~ 1, data = d, times = h,
                 cens.model = "km", metrics = c("auc", "brier"), summary = "ipa", cause = 1,
                 conf.int = TRUE)
  out$auc <- score$AUC$score$AUC; out$auc_se <- score$AUC$score$se
  brier <- score$Brier$score[score$Brier$score$model == "m", ]
  out$brier <- brier$Brier; out$brier_se <- brier$se; out$ipa <- brier$IPA
  d$pseudo <- as.vector(jackknife(prodlim(Hist(time, event) ~ 1, d), times = h, cause = 1))
  if (!competing) d$pseudo <- 1 - d$pseudo       # of the survival, where that is what it follows
  d$pseudo_cll <- cll(d$risk)
  gee <- function(f) summary(geese(f, data = d, id = seq_len(nrow(d)), scale.fix = TRUE,
    family = gaussian, mean.link = "cloglog", corstr = "independence",
    control = geese.control(epsilon = 1e-13, maxit = 1000)))$mean
  a <- gee(pseudo ~ offset(pseudo_cll)); b <- gee(pseudo ~ offset(pseudo_cll) + pseudo_cll)
  out$intercept <- a[1, "estimate"]; out$intercept_se <- a[1, "san.se"]
  out$pseudo_slope <- 1 + b[2, "estimate"]; out$pseudo_slope_se <- b[2, "san.se"]
  out$pseudo <- d$pseudo[1:20]
  smooth <- fitted(loess(pseudo ~ risk, d, degree = 1, span = 0.33))
  out$pseudo_ici <- mean(abs(smooth - d$risk))
  if (competing) {
    fit <- summary(survfit(Surv(time, factor(event, 0:2)) ~ 1, d), times = h)
    out$observed <- fit$pstate[2]; out$observed_se <- fit$std.err[2]
    ci <- cuminc(d$time, d$event)[["1 1"]]
    out$observed_cmprsk <- ci$est[max(which(ci$time <= h))]
    model <- structure(list(risk = d$risk), class = "fixed")
    predictEventProb.fixed <<- function(object, newdata, times, cause, ...) matrix(newdata$risk)
    out$wolbers <- pec::cindex(list(fixed = model), formula = Hist(time, event) ~ 1, data = d,
                               eval.times = h, cause = 1, verbose = FALSE)$AppCindex$fixed
    incidence <- function(x) tail(summary(survfit(Surv(time, factor(event, 0:2)) ~ 1, x),
                                          times = h, extend = TRUE)$pstate[2], 1)
  } else {
    fit <- summary(survfit(Surv(time, event) ~ 1, d), times = h, extend = TRUE)
    out$observed <- 1 - fit$surv; out$observed_se <- fit$std.err
    s <- Surv(d5$time, d5$event); lp <- d5$linear_predictor
    for (name in c("n", "n/G2")) {
      fit <- concordance(s ~ lp, reverse = TRUE, timewt = name)
      key <- if (name == "n") "harrell" else "uno"
      out[[key]] <- fit$concordance; out[[paste0(key, "_se")]] <- sqrt(fit$var)
    }
    all <- concordance(Surv(time, event) ~ linear_predictor, d, reverse = TRUE)
    out$harrell_all <- all$concordance; out$harrell_all_se <- sqrt(all$var)
    cox <- coxph(s ~ lp, control = coxph.control(eps = 1e-12, iter.max = 50))
    out$slope <- unname(coef(cox)); out$slope_se <- sqrt(vcov(cox)[1, 1])
    x <- cll(d5$risk)
    curve <- tryCatch({
      bend <- rcspline.eval(x, nk = 3, inclx = TRUE)
      m <- coxph(s ~ bend, control = coxph.control(eps = 1e-12, iter.max = 50))
      h0 <- basehaz(m, centered = FALSE)
      1 - exp(-h0$hazard[max(which(h0$time <= h))] * exp(as.vector(bend %*% coef(m))))
    }, error = function(e) NULL)
    d5$x <- x
    dd <<- datadist(d5); options(datadist = "dd")
    rms_curve <- tryCatch({
      m <- cph(Surv(time, event) ~ rcs(x, 3), d5, x = TRUE, y = TRUE, surv = TRUE)
      1 - survest(m, times = h, newdata = d5)$surv
    }, error = function(e) NULL)
    for (one in c("curve", "rms_curve")) if (!is.null(get(one))) {
      gap <- abs(get(one) - d5$risk)
      out[[one]] <- c(mean(gap), quantile(gap, c(.5, .9), names = FALSE))
    }
    incidence <- function(x) 1 - tail(summary(survfit(Surv(time, event) ~ 1, x), times = h,
                                              extend = TRUE)$surv, 1)
  }
  out$oe <- out$observed / mean(d$risk)
  thresholds <- quantile(d$risk, c(.1, .3, .5, .7, .9), names = FALSE)
  out$thresholds <- thresholds
  out$net_benefit <- sapply(thresholds, function(t) {
    above <- d$risk >= t; f <- incidence(d[above, ])
    mean(above) * (f - (1 - f) * t / (1 - t))
  })
  out
}

over_time <- function(d, times) {
  s <- Surv(d$time, d$event == 1); fit <- survfit(s ~ group, d, conf.type = "log-log")
  shown <- summary(fit, times = times, extend = TRUE)
  test <- survdiff(s ~ group, d)
  half <- quantile(d$linear_predictor, c(1, 2) / 3)
  thirds <- cut(d$linear_predictor, c(-Inf, unique(half), Inf), labels = FALSE)
  chosen <- data.frame(time = d$time, event = as.integer(d$event == 1), m = d$linear_predictor)
  cutpoint <- function(p) maxstat.test(Surv(time, event) ~ m, chosen, smethod = "LogRank",
                                       pmethod = p, minprop = 0.1, maxprop = 0.9)
  list(times = times, incidence = 1 - shown$surv, lower = 1 - shown$upper,
       upper = 1 - shown$lower, at_risk = shown$n.risk, group = as.character(shown$strata),
       log_rank = test$chisq, observed = test$obs, expected = test$exp,
       log_rank_thirds = survdiff(s ~ thirds)$chisq, thirds = as.integer(thirds),
       cutpoint = unname(cutpoint("none")$estimate), statistic = unname(cutpoint("none")$statistic),
       survminer = survminer::surv_cutpoint(chosen, "time", "event", "m", minprop = 0.1,
                                            progressbar = FALSE)$cutpoint$cutpoint,
       lau92 = cutpoint("Lau92")$p.value, lau94 = cutpoint("Lau94")$p.value)
}

plain <- function(d) {
  lp <- qlogis(d$p); out <- list()
  roc <- roc(d$y, d$p, levels = 0:1, direction = "<")
  ci <- ci.auc(roc, method = "delong")
  out$auc <- ci[2]; out$auc_lower <- ci[1]; out$auc_upper <- ci[3]
  tight <- glm.control(epsilon = 1e-14, maxit = 100)
  a <- glm(y ~ offset(lp), binomial, d, control = tight)
  b <- glm(y ~ lp, binomial, d, control = tight)
  out$intercept <- unname(coef(a)); out$intercept_se <- sqrt(vcov(a)[1, 1])
  out$slope <- unname(coef(b)[2]); out$slope_se <- sqrt(vcov(b)[2, 2])
  gap <- abs(fitted(loess(y ~ p, d)) - d$p)
  out$ici <- c(mean(gap), quantile(gap, c(.5, .9), names = FALSE))
  shown <- val.prob(d$p, d$y, pl = FALSE)
  out$val_prob <- as.list(shown[c("C (ROC)", "Brier", "Intercept", "Slope", "Eavg")])
  out$brier <- mean((d$y - d$p)^2); out$ipa <- 1 - out$brier / mean((d$y - mean(d$y))^2)
  out$cutoff <- 0.4; high <- d$p >= 0.4
  share <- function(x, n) as.numeric(Hmisc::binconf(x, n, method = "wilson"))
  out$sensitivity <- share(sum(high & d$y == 1), sum(d$y == 1))
  out$specificity <- share(sum(!high & d$y == 0), sum(d$y == 0))
  out$ppv <- share(sum(high & d$y == 1), sum(high))
  out$npv <- share(sum(!high & d$y == 0), sum(!high))
  best <- coords(roc, "best", best.method = "youden", transpose = FALSE)
  out$youden <- max(best$sensitivity + best$specificity - 1)
  out$best_sensitivity <- best$sensitivity[1]; out$best_specificity <- best$specificity[1]
  out$thresholds <- seq(.1, .9, .2)
  out$net_benefit <- sapply(out$thresholds, function(t)
    mean(d$p >= t & d$y == 1) - mean(d$p >= t & d$y == 0) * t / (1 - t))
  out
}

pooled <- function() {
  y <- c(0.31, 0.52, 0.12, 0.78, 0.40, 0.95); v <- c(.02, .03, .015, .05, .01, .08)
  fit <- rma(y, v, method = "REML", test = "knha", control = list(threshold = 1e-14, maxiter = 1000))
  range <- predict(fit)
  list(y = y, variance = v, estimate = as.vector(fit$beta), lower = fit$ci.lb, upper = fit$ci.ub,
       predicted_lower = range$pi.lb, predicted_upper = range$pi.ub, tau2 = fit$tau2, i2 = fit$I2)
}

data <- list(gbsg = gbsg_data(), tied = tied_data(), mgus = mgus_data(), few = few_data())
horizons <- list(gbsg = 5, tied = 5, mgus = 120, few = 12)
times <- list(gbsg = c(1, 3, 5), tied = c(1, 3, 5), mgus = c(24, 60, 120), few = c(6, 12, 18))
for (name in names(data)) write.csv(
  within(data[[name]], {risk <- signif(risk, 15); time <- signif(time, 15)
                        linear_predictor <- signif(linear_predictor, 15)}),
  file.path(folder, paste0(name, ".csv")), row.names = FALSE, quote = FALSE)
write.csv(sah_data(), file.path(folder, "sah.csv"), row.names = FALSE)
data <- sapply(names(data), function(n) read.csv(file.path(folder, paste0(n, ".csv"))), simplify = FALSE)
versions <- sapply(c("survival", "rms", "riskRegression", "maxstat", "survminer", "pROC", "geepack",
                     "pec", "metafor", "cmprsk"), function(p) as.character(packageVersion(p)))
figures <- list(made_with = as.list(c(R = as.character(getRversion()), versions)),
  at_horizon = mapply(at_horizon, data, horizons, SIMPLIFY = FALSE),
  over_time = mapply(over_time, data, times, SIMPLIFY = FALSE),
  plain = plain(sah_data()), pooled = pooled())
writeLines(jsonlite::toJSON(figures, auto_unbox = TRUE, digits = NA, na = "null", pretty = 1),
           file.path(folder, "performance.json"))
