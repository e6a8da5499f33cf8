# Writes reference.csv from areas.csv: `Rscript make_reference.R` beside this file.
# Made with R 4.2.2 and lme4 1.1-31. Everything but the mixed models is base R.
suppressMessages(library(lme4))

areas <- read.csv("areas.csv", stringsAsFactors = FALSE)
areas$area[areas$status != "found"] <- NA
wide <- function(column) {
  w <- reshape(areas[c("image", "model", column)], idvar = "image", timevar = "model", direction = "wide")
  w <- w[order(w$image), ]
  m <- as.matrix(w[, -1])
  dimnames(m) <- list(w$image, sub(paste0(column, "."), "", colnames(m), fixed = TRUE))
  m[, order(colnames(m))]
}
area <- wide("area")
correct <- wide("correct")
half <- unique(areas[c("image", "half")])
labelled <- sort(half$image[half$half == "labelled"])
unlabelled <- sort(half$image[half$half == "unlabelled"])
family <- function(model) sub("_.*", "", model)
best <- paste0(c("coarse", "fine", "middle"), "_0")

rows <- list()
add <- function(test, group, contrast = "", statistic = NA, df = NA, p = NA, p_adj = p, p_holm = p,
                effect = NA, effect_name = "", ci_low = NA, ci_high = NA, n = NA) {
  rows[[length(rows) + 1]] <<- data.frame(test, group, contrast, statistic, df, p, p_adj, p_holm,
                                          effect, effect_name, ci_low, ci_high, n)
}

# Kruskal-Wallis and Dunn (Dunn 1964, eq. for tied ranks)
independent <- function(group, x, g) {
  keep <- !is.na(x)
  x <- x[keep]
  g <- g[keep]
  k <- kruskal.test(x, factor(g))
  add("kruskal-wallis", group, statistic = k$statistic, df = k$parameter, p = k$p.value,
      effect = k$statistic * (length(x) + 1) / (length(x)^2 - 1),
      effect_name = "epsilon-squared", n = length(x))
  n <- length(x)
  r <- rank(x)
  ties <- table(x)
  variance <- n * (n + 1) / 12 - sum(ties^3 - ties) / (12 * (n - 1))
  pairs <- combn(sort(unique(g)), 2)
  z <- apply(pairs, 2, function(ab) {
    (mean(r[g == ab[1]]) - mean(r[g == ab[2]])) /
      sqrt(variance * (1 / sum(g == ab[1]) + 1 / sum(g == ab[2])))
  })
  p <- 2 * pnorm(-abs(z))
  for (i in seq_along(p)) {
    a <- x[g == pairs[1, i]]
    b <- x[g == pairs[2, i]]
    w <- suppressWarnings(wilcox.test(a, b)$statistic)
    add("dunn", group, paste(pairs[1, i], "-", pairs[2, i]), statistic = z[i], p = p[i],
        p_adj = p.adjust(p, "bonferroni")[i], p_holm = p.adjust(p, "holm")[i],
        effect = 2 * w / (length(a) * length(b)) - 1, effect_name = "rank-biserial",
        n = length(a) + length(b))
  }
}
run_independent <- function(group, m) {
  independent(group, as.vector(m), rep(family(colnames(m)), each = nrow(m)))
}
all_right <- labelled[rowSums(correct[labelled, best] == 1) == length(best)]
some_wrong <- setdiff(labelled, all_right)
run_independent("best models, labelled, correct by all", area[all_right, best])
run_independent("best models, labelled, wrong by at least one", area[some_wrong, best])
run_independent("best models, unlabelled", area[unlabelled, best])
run_independent("all models, labelled", area[labelled, ])
run_independent("all models, unlabelled", area[unlabelled, ])
run_independent("all models, all images", area)

# Friedman and paired Wilcoxon; R is exact below 50 differences without ties or zeros, otherwise
# normal with continuity correction
matched <- function(group, m) {
  m <- m[complete.cases(m), ]
  f <- friedman.test(m)
  add("friedman", group, statistic = f$statistic, df = f$parameter, p = f$p.value,
      effect = f$statistic / (nrow(m) * (ncol(m) - 1)), effect_name = "kendall's w", n = nrow(m))
  pairs <- combn(colnames(m), 2)
  tests <- apply(pairs, 2, function(ab) {
    d <- round(m[, ab[1]] - m[, ab[2]], 12)
    d <- d[d != 0]
    w <- suppressWarnings(wilcox.test(d))
    total <- length(d) * (length(d) + 1) / 2
    c(min(w$statistic, total - w$statistic), w$p.value, 2 * w$statistic / total - 1, length(d))
  })
  p <- tests[2, ]
  for (i in seq_along(p)) {
    add("wilcoxon signed-rank", group, paste(pairs[1, i], "-", pairs[2, i]),
        statistic = tests[1, i], p = p[i], p_adj = p.adjust(p, "bonferroni")[i],
        p_holm = p.adjust(p, "holm")[i], effect = tests[3, i],
        effect_name = "matched-pairs rank-biserial", n = tests[4, i])
  }
}
means <- sapply(unique(family(colnames(area))), function(a) rowMeans(area[, family(colnames(area)) == a]))
means <- round(means, 12)
for (a in colnames(means)) matched(paste(a, "models, all images"), area[, family(colnames(area)) == a])
matched("architecture means, all images", means)
matched("architecture means, labelled", means[labelled, ])
matched("architecture means, unlabelled", means[unlabelled, ])
matched("best models, labelled, correct by all", area[all_right, best])

# Mixed models; Wald's z and 95 % limits
mixed <- function(test, group, formula, d) {
  m <- suppressMessages(lmer(formula, d, REML = TRUE, control = lmerControl("bobyqa", optCtrl = list(rhoend = 1e-12))))
  b <- fixef(m)
  v <- as.matrix(vcov(m))
  error <- sqrt(v[2, 2])
  p <- 2 * pnorm(-abs(b[2] / error))
  reach <- qnorm(0.975) * error
  add(test, group, "incorrect - correct", statistic = b[2] / error, p = p, effect = 100 * b[2],
      effect_name = "percentage points", ci_low = 100 * (b[2] - reach),
      ci_high = 100 * (b[2] + reach), n = nrow(d))
  slope <- c(-b[2] / b[1], 1) / b[1]
  reach <- qnorm(0.975) * sqrt(drop(t(slope) %*% v %*% slope))
  add(test, group, "incorrect - correct", statistic = b[2] / error, p = p, effect = b[2] / b[1],
      effect_name = "relative", ci_low = b[2] / b[1] - reach, ci_high = b[2] / b[1] + reach,
      n = nrow(d))
}
d <- areas[areas$half == "labelled" & !is.na(areas$area), ]
d$incorrect <- 1 - d$correct
one <- area ~ incorrect + (1 | model)
both <- area ~ incorrect + (1 | model) + (1 | image)
mixed("mixed model, random model", "all models, labelled", one, d)
mixed("mixed model, random model and image", "all models, labelled", both, d)
# the same rows with every model moved to the same mean: the variance between models is zero
d$area <- d$area - ave(d$area, d$model) + mean(d$area)
mixed("mixed model, random model", "singular", one, d)
mixed("mixed model, random model and image", "singular", both, d)

table <- do.call(rbind, rows)
numeric <- sapply(table, is.numeric)
table[numeric] <- lapply(table[numeric], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(table, "reference.csv", row.names = FALSE, quote = c(1, 2, 3, 10))
