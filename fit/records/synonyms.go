package records

import "slices"

// synonyms are headings that other programs give to columns of ours, the surest first. Single
// letters count only in this very case: D is tokens, d a width.
var synonyms = map[string][]string{
	"params": {
		"num_params", "n_params", "parameters", "num_parameters",
		"n_parameters", "total_params", "params_total", "param_count", "model_size", "model_params",
		"N",
	},
	"non_embedding_params": {
		"params_non_embedding", "non_emb_params", "params_no_embed",
		"non_embedding", "n_non_embedding",
	},
	"tokens": {
		"train_tokens", "training_tokens", "num_tokens", "n_tokens",
		"total_tokens", "tokens_seen", "D",
	},
	"flops": {
		"train_flops", "training_flops", "total_flops", "flop",
		"training_flop", "compute", "C",
	},
	"d_model": {
		"hidden_size", "n_embd", "model_dim", "d_hidden", "hidden_dim",
		"embed_dim", "width", "dim", "d",
	},
	"layers":         {"n_layers", "n_layer", "num_layers", "num_hidden_layers", "depth"},
	"encoder_layers": {"num_encoder_layers", "n_encoder_layers"},
	"decoder_layers": {"num_decoder_layers", "n_decoder_layers"},
	"loss": {
		"val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss",
		"final_loss", "train_loss", "training_loss",
	},
}

// Adopt gives a column that was neither read nor can be derived the name ours where the file has it
// under a heading that other programs use. It returns that heading, empty where there was nothing
// to do.
func (t *Table) Adopt(ours string) string {
	if t.Has(ours) {
		return ""
	}
	for _, other := range synonyms[ours] {
		i := slices.IndexFunc(t.columns, func(c *column) bool {
			if len(other) == 1 {
				return c.head.Name == other
			}
			return fold(c.head.Name) == other
		})
		if i >= 0 {
			t.aliases[ours] = t.columns[i]
			return t.columns[i].heading
		}
	}
	return ""
}
