package result

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
