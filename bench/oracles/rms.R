# What R's rms says of a Cox and a logistic model: coefficients, nomogram points, predictions.
# The figures are fixtures of tests/models/test_against_rms.py. Run from the checkout:
#   Rscript bench/oracles/rms.R > tests/models/fixtures/rms.json
# It needs R with the packages survival and rms (Debian: r-cran-rms).
suppressPackageStartupMessages({library(survival); library(rms)})

set.seed(20260630)
n <- 600
data <- data.frame(
  activity = round(runif(n, 30, 250), 1),
  nodule = round(rgamma(n, 2, 2), 2),
  sex = factor(sample(c("female", "male"), n, TRUE)),
  uptake = factor(sample(c("primary", "secondary", "uptake"), n, TRUE))
)
risk <- with(data, -0.012 * activity + 0.5 * nodule + 0.8 * (sex == "male")
             - 1.1 * (uptake == "secondary") - 0.6 * (uptake == "uptake"))
data$time <- rexp(n, 0.08 * exp(risk + 2))
data$event <- as.integer(data$time < 12)
data$time <- pmin(data$time, 12)
data$outcome <- rbinom(n, 1, plogis(risk + 1.2))
known_ranges <- datadist(data)
options(datadist = "known_ranges")

cox <- cph(Surv(time, event) ~ activity + nodule + sex + uptake, data, x = TRUE, y = TRUE,
           surv = TRUE, time.inc = 5)
logistic <- lrm(outcome ~ activity + nodule + sex + uptake, data)
reference <- data.frame(activity = 180, nodule = 0.8, sex = "female", uptake = "primary")
patients <- data[1:40, c("activity", "nodule", "sex", "uptake")]

number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ", "), "]")
text <- function(x) paste0("[", paste0('"', x, '"', collapse = ", "), "]")
field <- function(name, value) paste0('"', name, '": ', value)
object <- function(...) paste0("{", paste(c(...), collapse = ", "), "}")

axes <- function(fit) {
  drawn <- nomogram(fit, lp = FALSE)
  one <- function(name) {
    axis <- drawn[[name]]
    values <- axis[[name]]
    shown <- if (is.factor(values) || is.character(values)) text(as.character(values))
             else number(as.numeric(values))
    field(name, object(field("values", shown), field("points", number(axis$points))))
  }
  do.call(object, lapply(c("activity", "nodule", "sex", "uptake"), one))
}

survival <- Survival(cox)
lp_cox <- predict(cox, patients)
years <- c(3, 5, 10)
at <- function(lp) sapply(years, function(t) survival(t, lp))
model_of <- function(fit) object(
  field("names", text(names(coef(fit)))), field("coefficients", number(coef(fit))),
  field("axes", axes(fit)))

cat(object(
  field("made_with", object(field("R", paste0('"', getRversion(), '"')),
                            field("rms", paste0('"', packageVersion("rms"), '"')))),
  field("patients", object(
    field("activity", number(patients$activity)), field("nodule", number(patients$nodule)),
    field("sex", text(patients$sex)), field("uptake", text(patients$uptake)))),
  field("cox", object(
    field("model", model_of(cox)),
    field("baseline", number(at(predict(cox, reference)))),
    field("survival_3y", number(at(lp_cox)[, 1])),
    field("survival_5y", number(at(lp_cox)[, 2])),
    field("survival_10y", number(at(lp_cox)[, 3])))),
  field("logistic", object(
    field("model", model_of(logistic)),
    field("probability", number(predict(logistic, patients, type = "fitted")))))
), "\n")
