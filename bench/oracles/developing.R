# What R says of developing a model: Cox with Efron's ties and late entry, cox.zph, baseline survival,
# selection by likelihood ratio step by step, logistic regression, and optimism by its definition.
# Writes the data (public, from R's survival) as CSV and the figures as JSON:
#   Rscript bench/oracles/developing.R tests/models/performance/fixtures
# Debian: r-cran-survival r-cran-jsonlite
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(TRUE)[1]
d <- na.omit(subset(lung, select = c(time, status, age, sex, ph.ecog, ph.karno, wt.loss)))
d <- subset(d, ph.ecog < 3)
d$event <- d$status - 1
d$time <- ceiling(d$time / 30.4375)                        # months: heavy ties
d$entry <- ifelse(seq_len(nrow(d)) %% 3 == 0, pmin(d$time - 1, 4), 0)
d$male <- 2 - d$sex
d$ecog1 <- as.integer(d$ph.ecog == 1); d$ecog2 <- as.integer(d$ph.ecog == 2)
d$dead <- as.integer(d$event == 1 & d$time <= 12)
d <- d[c("entry", "time", "event", "dead", "age", "male", "ecog1", "ecog2", "ph.karno", "wt.loss")]
names(d)[9:10] <- c("karno", "loss")
terms <- list(age = "age", male = "male", ecog = c("ecog1", "ecog2"), karno = "karno", loss = "loss")
out <- list()

whole <- function(late) {
  s <- if (late) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  x <- as.matrix(d[c("age", "male", "ecog1", "ecog2")])
  fit <- coxph(s ~ age + male + cbind(ecog1, ecog2), d, ties = "efron",
               control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 50))
  test <- cox.zph(fit, transform = "km")$table
  zero <- data.frame(age = 60, male = 0, ecog1 = 0, ecog2 = 0)
  base <- summary(survfit(fit, newdata = zero, conf.type = "log-log"), times = c(6, 12, 24))
  list(coefficients = unname(coef(fit)), errors = unname(sqrt(diag(vcov(fit)))),
       log_likelihood = fit$loglik[2], zph_chi2 = unname(test[, "chisq"]),
       zph_p = unname(test[, "p"]), zph_df = unname(test[, "df"]),
       survival = as.vector(base$surv), lower = as.vector(base$lower), upper = as.vector(base$upper))
}
out$plain <- whole(FALSE); out$late <- whole(TRUE)

# --- selection: univariable below 5 %, then in and out by likelihood ratio ------------------------
family <- list(
  survival = function(columns, rows = seq_len(nrow(d))) {
    f <- reformulate(if (length(columns)) columns else "1", "Surv(entry, time, event)")
    coxph(f, d[rows, ], ties = "efron", control = coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 50))
  },
  chance = function(columns, rows = seq_len(nrow(d))) {
    f <- reformulate(if (length(columns)) columns else "1", "dead")
    glm(f, binomial, d[rows, ], control = glm.control(epsilon = 1e-14, maxit = 100))
  })
p_of <- function(make, term, beside, rows) {
  rest <- unlist(terms[beside]); big <- make(c(rest, terms[[term]]), rows); small <- make(rest, rows)
  pchisq(2 * (as.numeric(logLik(big)) - as.numeric(logLik(small))), length(terms[[term]]),
         lower.tail = FALSE)
}
choose <- function(make, leave, rows = seq_len(nrow(d))) {
  alone <- sapply(names(terms), function(t) p_of(make, t, character(), rows))
  candidates <- names(terms)[alone < 0.05]; kept <- character()
  repeat {
    before <- kept; outside <- setdiff(candidates, kept)
    if (length(outside)) {
      p <- sapply(outside, function(t) p_of(make, t, kept, rows))
      if (min(p) < 0.05) kept <- c(kept, outside[which.min(p)])
    }
    while (length(kept) > 1) {
      p <- sapply(kept, function(t) p_of(make, t, setdiff(kept, t), rows))
      if (max(p) < leave) break
      kept <- kept[-which.max(p)]
    }
    if (setequal(before, kept)) break
  }
  list(alone = unname(alone), kept = names(terms)[names(terms) %in% kept])
}
rise <- function(make, kept) {
  fit <- make(unlist(terms[kept]))
  list(coefficients = unname(coef(fit)), errors = unname(sqrt(diag(vcov(fit)))))
}
for (name in names(family)) {
  chosen <- choose(family[[name]], if (name == "chance") 0.1 else 0.05)
  out[[name]] <- c(chosen, rise(family[[name]], chosen$kept))
}

# --- optimism by its definition, of samples whose rows are given --------------------------------
c_of <- function(linear, rows, name) {
  x <- d[rows, ]
  if (name == "survival")
    return(concordance(Surv(time - entry, event) ~ linear, x, reverse = TRUE)$concordance)
  one <- linear[x$dead == 1]; none <- linear[x$dead == 0]
  mean(outer(one, none, ">") + outer(one, none, "==") / 2)
}
slope_of <- function(linear, rows, name) {
  x <- d[rows, ]; x$linear <- linear
  if (name == "survival") return(unname(coef(coxph(Surv(entry, time, event) ~ linear, x,
                                                  control = coxph.control(eps = 1e-12, toler.chol = 1e-14)))))
  unname(coef(glm(dead ~ linear, binomial, x, control = glm.control(epsilon = 1e-14)))[2])
}
n <- nrow(d); everybody <- seq_len(n)
samples <- lapply(1:5, function(b) (everybody * (2 * b + 1) + (everybody^2 * b) %% 11) %% n + 1)
for (name in names(family)) {
  out[[name]]$too_good <- lapply(samples, function(rows) {
    kept <- choose(family[[name]], if (name == "chance") 0.1 else 0.05, rows)$kept
    columns <- unlist(terms[kept]); beta <- coef(family[[name]](columns, rows))
    beta <- if (name == "chance") beta[-1] else beta
    linear <- as.vector(as.matrix(d[columns]) %*% beta)
    c(c_of(linear[rows], rows, name) - c_of(linear, everybody, name),
      slope_of(linear[rows], rows, name) - slope_of(linear, everybody, name))
  })
}
out$samples <- lapply(samples, function(rows) rows - 1)
write.csv(d, file.path(folder, "lung.csv"), row.names = FALSE)
jsonlite::write_json(out, file.path(folder, "developing.json"), auto_unbox = TRUE, digits = NA, pretty = TRUE)
