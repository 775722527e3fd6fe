# A release in base R: no package is needed. Give the folder of a release, or of a public edition:
#
#     Rscript examples/release.R data_lake/marts/2012-revisit
#
# Each table is a CSV; beside it, <table>.csv-metadata.json says what its columns are.

# Where a link leads now: whatever is shown next, all is read of one release.
folder <- normalizePath(commandArgs(trailingOnly = TRUE)[1])

# An empty field of a count is unknown or hidden, never 0; one of a breakdown is the whole.
table_of <- function(name) {
  path <- file.path(folder, paste0(name, ".csv"))
  read.csv(path, colClasses = "character", na.strings = character(), encoding = "UTF-8")
}

# All is read as text; as.numeric makes what is empty NA.
cube <- table_of("cube")
cube$value <- suppressWarnings(as.numeric(cube$value))

# One column a dimension, empty for all: of these rows it is the one with no code in any.
now <- subset(cube, measure == "investigations" & period == "collection")
dimensions <- setdiff(names(cube)[seq_len(match("period", names(cube)) - 1)], "measure")
whole <- rowSums(now[, dimensions] != "") == 0
cat("investigations:", now$value[whole], "\n")

# Parts are told from totals, so that a sum counts nothing twice.
parts <- subset(now, is_total == "false")
print(aggregate(value ~ category, parts, sum, na.action = na.pass), row.names = FALSE)
cat("of all parts:", sum(parts$value), "\n")

# Joined with what is known of each force; NA stays NA in a sum, so that nothing unknown is lost.
profiles <- table_of("force_profiles")
profiles$investigations <- suppressWarnings(as.numeric(profiles$investigations))
by_region <- aggregate(investigations ~ region, profiles, sum, na.action = na.pass)
print(by_region, row.names = FALSE)
cat("of all regions:", sum(by_region$investigations), "\n")
