// Package records reads the runs that a user recorded: CSV, TSV, JSON lines, Hugging Face
// trainer_state.json, TensorBoard event files, wandb CSV exports and MLflow mlruns folders.
//
// A [Table] keeps cells as text until a column is asked for as amounts, so that nothing is lost and
// only what is used is parsed. Columns go by the names of this project ([Known]); [Table.Map] says
// which of the file's columns is ours. A column that is missing but follows from others (parameters
// of a named shape, FLOPs of parameters and tokens) is computed when it is asked for, and
// [Table.Derived] says how.
//
// A [Selection] is which rows are used. Every row that is not has a reason.
//
// Parquet and SQLite are not read: the pure Go readers of either would be the largest dependency of
// the program. Both tools export CSV.
package records
