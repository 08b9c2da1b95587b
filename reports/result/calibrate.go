package result

import (
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Calibration is a profile fitted to measured steps.
type Calibration struct {
	Profile   string              `json:"profile"`
	FittedOn  string              `json:"fitted_on"`
	Measured  int                 `json:"measured"`
	Used      int                 `json:"used"`
	Contended int                 `json:"contended"`
	Left      int                 `json:"left"`
	HeldOut   *HeldOutSteps       `json:"held_out,omitempty"`
	Residual  float64             `json:"residual_log_sd"`
	Converged bool                `json:"converged"`
	Peak      *float64            `json:"peak_flops_per_second,omitempty"`
	Bandwidth *float64            `json:"bandwidth_bytes_per_second,omitempty"`
	Constants map[string]Constant `json:"constants"`
	Path      string              `json:"path,omitempty"`
	Threads   int                 `json:"threads,omitempty"`
	Machine   string              `json:"machine,omitempty"`
	Date      string              `json:"date,omitempty"`
}

// HeldOutSteps are of predictions of each shape by a fit to the others.
type HeldOutSteps struct {
	MedianAbsLogError float64 `json:"median_abs_log_error"`
	WorstAbsLogError  float64 `json:"worst_abs_log_error"`
	Coverage80        float64 `json:"coverage80"`
}

// Constant is a constant of the profile with the standard deviation of its logarithm.
type Constant struct {
	Value float64 `json:"value"`
	LogSD float64 `json:"log_sd"`
}

// CheckedStep is a measured step beside the prediction of a profile.
type CheckedStep struct {
	calibrate.Record
	MeasuredSeconds  float64           `json:"measured_seconds"`
	PredictedSeconds quantity.Interval `json:"predicted_seconds"`
	LogError         float64           `json:"log_error"` // ln(measured/predicted)
}

// Trained is the record of a run of the reference kernel with what the machine achieved.
type Trained struct {
	kernel.Record
	TokensPerSecond     float64 `json:"tokens_per_second,omitempty"`
	FLOPsPerSecond      float64 `json:"flops_per_second,omitempty"`
	PeakFLOPsPerSecond  float64 `json:"peak_flops_per_second"`
	ShareOfMeasuredPeak float64 `json:"share_of_measured_peak,omitempty"`
}

// TrainedOf returns a record beside the measured peak as JSON writes it.
func TrainedOf(r *kernel.Record, peak float64) *Trained {
	out := &Trained{Record: *r, PeakFLOPsPerSecond: peak}
	if r.StepSeconds > 0 {
		out.TokensPerSecond = float64(r.Tokens) / float64(r.Steps) / r.StepSeconds
		out.FLOPsPerSecond = r.FLOPs / float64(max(1, r.Steps)) / r.StepSeconds
		out.ShareOfMeasuredPeak = out.FLOPsPerSecond / peak
	}
	return out
}

// Validation is step times of one hardware class held against predictions.
type Validation struct {
	HoldOut           string  `json:"hold_out"`
	Class             string  `json:"class"`
	Hardware          string  `json:"hardware"`
	N                 int     `json:"n"`
	MedianAbsLogError float64 `json:"median_abs_log_error"`
	Within125         float64 `json:"within_1_25"`
	Within2           float64 `json:"within_2"`
	Coverage80        float64 `json:"coverage80"`
	BaselineMedian    float64 `json:"baseline_median_abs_log_error"`
	BaselineWithin125 float64 `json:"baseline_within_1_25"`
	BaselineWithin2   float64 `json:"baseline_within_2"`
	// Rows are all rows of the table, in its first
	Rows []Scored `json:"rows,omitempty"`
}

// Scored is one row beside its prediction, in seconds; LogError is ln(measured/predicted).
type Scored struct {
	ID        string   `json:"id"`
	Class     string   `json:"class"`
	Device    string   `json:"device"`
	Predicted float64  `json:"predicted"`
	Low       float64  `json:"low"`
	High      float64  `json:"high"`
	Measured  float64  `json:"measured"`
	LogError  float64  `json:"log_error"`
	Assumed   []string `json:"assumed"`
}

// Unscored is a row that could not be predicted.
type Unscored struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Ranking is how well the shapes of a group are ranked blind.
type Ranking struct {
	Group     string            `json:"group"`
	N         int               `json:"n"`
	Law       string            `json:"law,omitempty"`
	Regret    float64           `json:"regret"`
	Spearman  float64           `json:"spearman"`
	Baselines map[string]Ranked `json:"baselines"`
}

// Ranked is the score of a baseline.
type Ranked struct {
	Regret   float64 `json:"regret"`
	Spearman float64 `json:"spearman"`
}
