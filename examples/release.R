# A release in base R: no package is needed. Give the folder of a release, or of a public edition:
#
#     Rscript examples/release.R data_lake/marts/2012-revisit
#
# Each table is a CSV; beside it, <table>.csv-metadata.json says what its columns are.

folder <- commandArgs(trailingOnly = TRUE)[1]

# An empty field of a count is unknown or hidden, never 0; one of a breakdown is the whole.
table_of <- function(name) {
  read.csv(file.path(folder, paste0(name, ".csv")), na.strings = character(), encoding = "UTF-8")
}

# A column that has empty fields is read as text; as.numeric makes them NA.
totals <- table_of("national_totals")
totals$value <- suppressWarnings(as.numeric(totals$value))

now <- subset(totals, measure == "investigations" & period == "collection")
cat("investigations:", now$value[now$breakdown == ""], "\n")

# Parts of one dimension. `completed` holds four others, so only it and `continuing` make the whole.
by_outcome <- subset(now, grepl("^outcome=[a-z_]+$", breakdown))
by_outcome$outcome <- sub("outcome=", "", by_outcome$breakdown)
print(by_outcome[, c("outcome", "value")], row.names = FALSE)
ends <- c("completed", "continuing")
cat("of all outcomes:", sum(by_outcome$value[by_outcome$outcome %in% ends]), "\n")

# Joined with what is known of each force; NA stays NA in a sum, so that nothing unknown is lost.
profiles <- table_of("force_profiles")
profiles$investigations <- suppressWarnings(as.numeric(profiles$investigations))
by_region <- aggregate(investigations ~ region, profiles, sum, na.action = na.pass)
print(by_region, row.names = FALSE)
cat("of all regions:", sum(by_region$investigations), "\n")
