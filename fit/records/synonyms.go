package records

import (
	"slices"
	"strings"
)

// synonyms are the headings that other programs give to our columns, folded. Single letters
// count only in this very case: D is tokens, d a width. This is the one table of all commands.
var synonyms = map[string][]string{
	"params": {
		"num_params", "n_params", "nparams", "parameters", "num_parameters", "n_parameters",
		"number_of_parameters", "total_params", "total_parameters", "params_total", "param_count",
		"parameter_count", "model_size", "model_params", "model_parameters", "trainable_params",
		"trainable_parameters", "#params", "#_params", "#parameters", "#_parameters", "N",
	},
	"non_embedding_params": {
		"params_non_embedding", "non_emb_params", "nonembedding_params", "params_no_embed",
		"params_no_embedding", "non_embedding", "non_embedding_parameters", "n_non_embedding",
		"num_non_embedding_params", "non_embed_params", "params_nonemb",
	},
	"tokens": {
		"train_tokens", "training_tokens", "num_tokens", "n_tokens", "n_tok", "ntokens",
		"number_of_tokens", "total_tokens", "tokens_seen", "num_tokens_seen", "n_tokens_seen",
		"num_input_tokens_seen", "train_tokens_seen", "tokens_processed", "consumed_tokens",
		"consumed_train_tokens", "dataset_tokens", "#tokens", "#_tokens", "throughput_total_tokens",
		"D",
	},
	"unique_tokens": {"unique_training_tokens", "dataset_size_tokens", "U"},
	"flops": {
		"train_flops", "training_flops", "total_flops", "total_flos", "flop", "training_flop",
		"total_flop", "compute", "training_compute", "compute_flops", "C",
	},
	"step": {
		"global_step", "train_global_step", "trainer_global_step", "training_step", "_step",
		"iteration", "iter", "iterations", "num_updates", "training_iteration",
	},
	"step_seconds": {
		"step_time", "step_time_s", "step_time_sec", "step_time_seconds", "time_per_step",
		"seconds_per_step", "sec_per_step", "s_per_step", "iteration_time", "iter_time",
		"iteration_seconds", "time_per_iteration", "seconds_per_iteration",
		"elapsed_time_per_iteration", "train_step_time", "perf_step_time", "perf_iter_time",
		"seconds_iteration", "sec_iteration", "s_iteration", "s_iter", "s_it", "seconds_step", "s_step",
		"batch_time", "time_per_batch", "train_step_timing", "train_step_timing_in_s",
	},
	"step_milliseconds": {
		"step_time_ms", "step_ms", "ms_per_step", "time_per_step_ms", "milliseconds_per_step",
		"iteration_time_ms", "iter_time_ms", "elapsed_time_per_iteration_ms",
	},
	"steps_per_second": {
		"steps_per_sec", "train_steps_per_second", "train_steps_per_sec", "steps_s",
		"iterations_per_second", "it_s", "it_per_sec", "batches_per_sec",
		"throughput_batches_per_sec", "timing_steps_per_second",
	},
	"tokens_per_second": {
		"tokens_per_sec", "train_tokens_per_second", "train_tokens_per_sec", "tok_per_sec",
		"toks_per_sec", "tokens_s", "global_tokens_per_second", "throughput_tokens_per_sec",
	},
	"timestamp": {
		"_timestamp", "wall_time", "walltime", "datetime", "date_time", "date", "time",
		"created_at", "logged_at",
	},
	"elapsed": {
		"_runtime", "runtime", "elapsed_seconds", "elapsed_time", "time_elapsed", "seconds",
		"elapsed_s", "wall_clock", "wall_clock_time", "wall_clock_seconds", "total_time", "wall_seconds",
	},
	"d_model": {
		"hidden_size", "n_embd", "model_dim", "d_hidden", "hidden_dim", "embed_dim",
		"embedding_dim", "width", "dim", "dmodel", "d",
	},
	"d_ff":           {"ffn_dim", "intermediate_size", "ffn_hidden_size", "mlp_dim", "dff"},
	"heads":          {"n_heads", "n_head", "num_heads", "num_attention_heads"},
	"vocab":          {"vocab_size", "n_vocab", "vocabulary_size"},
	"layers":         {"n_layers", "n_layer", "num_layers", "num_hidden_layers", "depth"},
	"encoder_layers": {"num_encoder_layers", "n_encoder_layers"},
	"decoder_layers": {"num_decoder_layers", "n_decoder_layers"},
	"loss": {
		"val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss", "dev_loss",
		"loss_val", "loss_valid", "loss_validation", "loss_eval", "loss_test", "final_loss",
		"train_loss", "training_loss", "loss_train", "final_val_loss", "final_train_loss",
		"lm_loss", "cross_entropy", "L",
	},
	"score": {"accuracy", "eval_accuracy", "val_accuracy", "downstream_score", "average_score"},
}

// prefixes are what trackers put before the name of a parameter or metric.
var prefixes = []string{
	"metrics", "metric", "params", "param", "config", "summary", "hparams", "hyperparameters",
	"model", "data", "train_state", "user_attrs", "parameters", "args", "cfg",
}

// synonym tells whether a column called theirs may be ours.
func synonym(ours, theirs string) bool {
	ours = fold(ours)
	for name := theirs; ; {
		if name != theirs && fold(name) == ours {
			return true
		}
		for _, other := range synonyms[ours] {
			if len(other) == 1 && name == other || len(other) > 1 && fold(name) == other {
				return true
			}
		}
		i := strings.IndexAny(name, "./")
		if i <= 0 || !slices.Contains(prefixes, strings.ToLower(name[:i])) {
			return false
		}
		name = name[i+1:]
	}
}
