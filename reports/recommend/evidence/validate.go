package evidence

import (
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Validation is how well groups of runs are ranked blind.
type Validation struct {
	Groups []GroupScore
	Ranked          // averaged over the groups
	Left   []string // groups left out, with the reason
}

// GroupScore is the ranking of one held-out group.
type GroupScore struct {
	Group string
	N     int
	Law   string // what was fitted to the other groups
	Ranked
}

// Ranked is how well a group, or all, is ranked by the runs of others and by the baselines.
type Ranked struct {
	Ours      RankScore
	Baselines []NamedScore
}

// RankScore is the quality of a ranking.
type RankScore struct {
	// Regret is by how much the outcome of the shape ranked first is worse than the best of the
	// group's.
	Regret float64
	// Spearman is the rank correlation of predicted and recorded quality.
	Spearman float64
}

// add adds one of n scores to their mean.
func (s *RankScore) add(one RankScore, n int) {
	s.Regret += one.Regret / float64(n)
	s.Spearman += one.Spearman / float64(n)
}

// NamedScore is a baseline's score.
type NamedScore struct {
	Name string
	RankScore
}

// minimumGroup is the fewest shapes that a rank correlation is taken of.
const minimumGroup = 3

// Validate fits to all groups but one and ranks the shapes of that one, for each group in turn. The
// outcome is the score, larger is better, or else the loss.
//
// Outcomes of different groups need not be on one scale: next to the laws of a judge by records, which
// pool them, polynomials with a level for each group are tried, and leaving each of the fitted
// groups out decides. Rows without tokens are left out where most rows have them.
//
// Errors: fewer than two groups of at least three complete rows; an outcome that varies in none of
// them.
func Validate(rows []Record, byScore bool) (Validation, error) {
	var out Validation
	groups, left := validationGroups(rows, byScore)
	out.Left = left
	if len(groups) < 2 {
		why := ""
		switch len(left) {
		case 0:
		case 1:
			why = " (" + left[0] + ")"
		default:
			why = fmt.Sprintf(" (%s; %d more like it)", left[0], len(left)-1)
		}
		return out, fmt.Errorf(
			"%s of at least %d rows with params, d_model, layers and an outcome; needed: at least 2%s", quantity.Of(len(groups), "group"), minimumGroup, why)
	}
	if !slices.ContainsFunc(groups, func(g runGroup) bool { return scatter(g.cost) > 0 }) {
		return out, fmt.Errorf("in no group does the outcome vary: there is nothing to rank")
	}
	n := len(groups)
	without := func(i int) []runGroup { return slices.Delete(slices.Clone(groups), i, i+1) }
	ranks, laws, errs := make([]ranking, n), make([]string, n), make([]error, n)
	parallel.Each(n, 0, func(i int) { ranks[i], laws[i], errs[i] = fitRanking(without(i)) })
	out.Baselines = []NamedScore{{Name: "most-params"}, {Name: "aspect-64"}, {Name: "bracket"}}
	for i := range groups {
		g := &groups[i]
		if errs[i] != nil {
			return out, fmt.Errorf("group %q held out: %w", g.name, errs[i])
		}
		s := GroupScore{Group: g.name, N: len(g.runs), Law: laws[i]}
		s.Ours = g.scored(ranks[i])
		out.Ours.add(s.Ours, n)
		for k, rank := range [...]ranking{
			func(t *runTraits) float64 { return t.params },                             // the largest wins
			func(t *runTraits) float64 { return -math.Abs(t.aspect() - math.Log(64)) }, // d_model/layers nearest to 64
			bracket(without(i), g),
		} {
			b := NamedScore{out.Baselines[k].Name, g.scored(rank)}
			s.Baselines = append(s.Baselines, b)
			out.Baselines[k].add(b.RankScore, n)
		}
		out.Groups = append(out.Groups, s)
	}
	return out, nil
}

// ranking is a predicted quality; larger is better.
type ranking func(t *runTraits) float64

// runGroup is the runs of one group. cost is the outcome, smaller is better.
type runGroup struct {
	name string
	runs []runTraits
	cost []float64
}

func validationGroups(rows []Record, byScore bool) (groups []runGroup, left []string) {
	at := map[string]int{}
	dropped, tokenless, partly := 0, 0, someLackTokens(rows)
	for i := range rows {
		m := &rows[i]
		outcome, sign := m.Loss, 1.0
		if byScore {
			outcome, sign = m.Score, -1
		}
		if outcome == nil || !(m.Params > 0) || m.DModel <= 0 ||
			m.EncoderLayers+m.DecoderLayers <= 0 {
			dropped++
			continue
		}
		if partly && !m.hasTokens() {
			tokenless++
			continue
		}
		k, ok := at[m.Group]
		if !ok {
			k = len(groups)
			at[m.Group] = k
			groups = append(groups, runGroup{name: m.Group})
		}
		groups[k].runs, groups[k].cost = append(groups[k].runs, m.traits()),
			append(groups[k].cost, sign**outcome)
	}
	if dropped > 0 {
		left = append(left, fmt.Sprintf("%s without an outcome, params, d_model or layers",
			quantity.Of(dropped, "row")))
	}
	if tokenless > 0 {
		left = append(left, fmt.Sprintf("%s without the tokens that most have", quantity.Of(tokenless, "row")))
	}
	return slices.DeleteFunc(groups, func(g runGroup) bool {
		few := len(g.runs) < minimumGroup
		if few {
			left = append(left, fmt.Sprintf("group %q has %s, fewer than %d", g.name,
				quantity.Of(len(g.runs), "row"), minimumGroup))
		}
		return few
	}), left
}

// someLackTokens says whether most rows have tokens and some have not: these would take the tokens
// from all, for no law reads what is partly there.
func someLackTokens(rows []Record) bool {
	lack := 0
	for i := range rows {
		if !rows[i].hasTokens() {
			lack++
		}
	}
	return lack > 0 && 2*lack < len(rows)
}

// scored is the quality of a ranking of the group.
func (g *runGroup) scored(rank ranking) RankScore {
	predicted, actual := make([]float64, len(g.runs)), make([]float64, len(g.runs))
	top := 0
	for i := range g.runs {
		predicted[i], actual[i] = rank(&g.runs[i]), -g.cost[i]
		if predicted[i] > predicted[top] {
			top = i
		}
	}
	return RankScore{
		Regret: g.cost[top] - slices.Min(g.cost), Spearman: spearman(predicted, actual),
	}
}

// spearman returns the correlation of ranks; 0 where one side is constant.
func spearman(x, y []float64) float64 {
	if r := fit.Spearman(x, y); !math.IsNaN(r) {
		return r
	}
	return 0
}

// bracket ranks by nearness in depth and width to the best run of the group whose sizes are
// nearest.
func bracket(groups []runGroup, held *runGroup) ranking {
	size := func(g *runGroup) float64 {
		sum := 0.0
		for i := range g.runs {
			sum += g.runs[i].params
		}
		return sum / float64(len(g.runs))
	}
	here, nearest := size(held), 0
	for i := range groups {
		if math.Abs(size(&groups[i])-here) < math.Abs(size(&groups[nearest])-here) {
			nearest = i
		}
	}
	g := &groups[nearest]
	best := g.runs[slices.Index(g.cost, slices.Min(g.cost))]
	return func(t *runTraits) float64 { return -math.Hypot(t.depth-best.depth, t.width-best.width) }
}
