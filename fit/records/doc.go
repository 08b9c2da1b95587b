// Package records reads the runs that a user recorded: CSV, TSV, JSON, Parquet, Hugging Face
// trainer_state.json and results, TensorBoard event files, Lightning and wandb CSV, and the stores of
// MLflow, as files, compressed files or folders.
//
// A [Table] keeps cells as text until a column is asked for as amounts, so that nothing is lost and
// only what is used is parsed. Columns go by the names of this project or those that other programs
// give them; [Table.Map] says which of the file's columns is ours. A column that is missing but
// follows from others (parameters of a named shape, FLOPs of parameters and tokens) is computed when
// it is asked for, and [Table.Derived] says how a column was read or computed.
//
// Reading settles what a row is: whose run it belongs to, which of two attempts counts, what is a
// copy. Nothing of this is silent: rows that are not used are [Table.Lost], with their reasons, and
// the rest is in [Table.Warnings].
//
// A [Selection] is which rows are used. Every row that is not has a reason.
package records
