package page

import (
	_ "embed"
	"fmt"
)

var (
	//go:embed style.css
	style static
	//go:embed script.js
	script static
)

func (m *markup) page(v *view) {
	m.raw(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>`).say(v.Title).raw("</title>\n<style>\n").raw(style).raw("</style>\n</head>\n<body>\n<header>\n")
	m.raw("<h1>").say(v.Title).raw("</h1>\n")
	m.raw(`<p class="soft">Written by deepnarrow `).say(v.Version).raw(". ").say(levelNote).raw("</p>\n")
	if len(v.Sections) > 1 {
		m.raw(`<nav aria-label="Sections">`)
		for i := range v.Sections {
			s := &v.Sections[i]
			m.raw("<a").attr("href", "#"+s.ID).raw(">").say(s.Link).raw("</a>")
		}
		m.raw("</nav>\n")
	}
	m.raw("</header>\n<main>\n")
	for i := range v.Sections {
		m.section(&v.Sections[i])
	}
	m.raw("</main>\n<script>\n").raw(script).raw("</script>\n</body>\n</html>\n")
}

func (m *markup) section(s *section) {
	m.raw("<section").attr("id", s.ID).raw(">\n<h2>").say(s.Heading).raw("</h2>\n")
	m.soft("p", s.File).raw("\n")
	if len(s.Warnings) > 0 {
		m.raw(`<div class="warnings"><b>Warnings</b><ul>`)
		for _, warning := range s.Warnings {
			m.raw("<li>").say(warning).raw("</li>")
		}
		m.raw("</ul></div>\n")
	}
	for i := range s.Subjects {
		m.subject(&s.Subjects[i])
	}
	m.charts(nil, s.Plots)
	for i := range s.Tables {
		m.table(&s.Tables[i])
	}
	if len(s.Conventions) > 0 {
		m.raw("<h4>Conventions</h4><dl>")
		for _, c := range s.Conventions {
			m.raw("<dt>").say(c.Key).raw("</dt><dd>").say(c.Value).raw("</dd>")
		}
		m.raw("</dl>\n")
	}
	m.raw("</section>\n")
}

// soft writes an element of side text.
func (m *markup) soft(tag static, text string) *markup {
	return m.raw("<" + tag + ` class="soft">`).say(text).raw("</" + tag + ">")
}

func (m *markup) subject(s *subject) {
	m.raw("<article>\n<h3>").say(s.Name).raw("</h3>\n")
	if s.Detail != "" {
		m.soft("p", s.Detail).raw("\n")
	}
	m.raw(`<ul class="cards">`)
	for _, c := range s.Cards {
		class := "card"
		if c.Bad {
			class = "card bad"
		}
		m.raw("<li").attr("class", class).raw(">").soft("span", c.Label).raw("<b>").say(
			c.Value).raw("</b>")
		if c.Note != "" {
			m.soft("span", c.Note)
		}
		m.raw("</li>")
	}
	m.raw("</ul>\n")
	m.charts(s.Bars, s.Plots)
	for i := range s.Tables {
		m.table(&s.Tables[i])
	}
	m.raw("</article>\n")
}

// charts writes bars and plots side by side where there is room.
func (m *markup) charts(all []bars, plots []plot) {
	if len(all)+len(plots) == 0 {
		return
	}
	m.raw("<div class=\"charts\">\n")
	for i := range all {
		m.bars(&all[i])
	}
	for i := range plots {
		m.plot(&plots[i])
	}
	m.raw("</div>\n")
}

func (m *markup) bars(b *bars) {
	m.raw("<div><h4>").say(b.Title).raw("</h4>\n<ul class=\"bars\">")
	for _, r := range b.Rows {
		m.raw("<li><span>").say(r.Label)
		if r.Note != "" {
			m.raw(" ").soft("span", r.Note)
		}
		m.raw(`</span><span class="v">`).say(r.Value).raw(" · ").say(r.Share).raw("</span>")
		m.raw(`<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect`).number("width", r.Percent, 2).raw(` height="1"/></svg></li>`)
	}
	m.raw("</ul>\n</div>\n")
}

func (m *markup) plot(p *plot) {
	const pixels = 1 // decimals of a place in the drawing
	m.raw("<figure>\n<h4>").say(p.Title).raw(
		"</h4>\n<svg viewBox=\"-12 0 502 320\" role=\"group\"").attr("aria-label", p.Title).raw(
		">\n")
	for _, t := range p.YTicks {
		m.raw(`<line class="grid" x1="52" x2="468"`).number("y1", t.At, pixels).number("y2", t.At, pixels).raw("/>")
		m.raw(`<text x="46"`).number("y", t.At, pixels).raw(` dy="4" text-anchor="end">`).say(t.Text).raw("</text>\n")
	}
	for _, t := range p.XTicks {
		m.raw(`<line class="grid" y1="22" y2="268"`).number("x1", t.At, pixels).number("x2", t.At, pixels).raw("/>")
		m.raw("<text").number("x", t.At, pixels).raw(` y="286" text-anchor="middle">`).say(t.Text).raw("</text>\n")
	}
	m.raw(`<text x="260" y="310" text-anchor="middle">`).say(p.X).raw(`</text><text x="52" y="14">`).say(p.Y).raw("</text>\n")
	if p.Level {
		m.raw(`<line class="level" x1="52" x2="468"`).number("y1", p.Zero, pixels).number("y2", p.Zero, pixels).raw("/>\n")
	}
	if p.Area != "" || p.LinePath != "" {
		m.raw(`<svg x="52" y="22" width="416" height="246" viewBox="52 22 416 246">`)
		if p.Area != "" {
			m.raw(`<path class="band"`).attr("d", p.Area).raw("/>")
		}
		if p.LinePath != "" {
			m.raw(`<path class="line"`).attr("d", p.LinePath).raw("/>")
		}
		m.raw("</svg>\n")
	}
	for _, d := range p.Dots {
		m.raw("<circle")
		if d.Hollow {
			m.attr("class", "dot hollow")
		} else {
			m.attr("class", "dot")
		}
		m.number("cx", d.PX, pixels).number("cy", d.PY, pixels).raw(` r="4"><title>`).say(d.Label).raw("</title></circle>\n")
	}
	for _, q := range p.Points {
		m.raw("<g").attr("class", "point "+q.Class).raw(` tabindex="0" role="img"`).attr("aria-label", q.Label).attr("data-key", q.Key).raw("><title>").say(q.Label).raw("</title>")
		m.raw("<line").number("x1", q.PX, pixels).number("x2", q.PX, pixels).number("y1", q.PLow,
			pixels).number("y2", q.PHig, pixels).raw("/>")
		m.raw("<circle").number("cx", q.PX, pixels).number("cy", q.PY, pixels).raw(
			" r=\"6\"/></g>\n")
	}
	m.raw("</svg>\n")
	switch {
	case len(p.Points) > 0:
		m.raw(`<figcaption class="details soft" aria-live="polite">`).say("Point at a mark for its details. The anchor has the second colour, the pick a rim.").raw("</figcaption>\n")
	case p.Note != "":
		m.soft("figcaption", p.Note).raw("\n")
	}
	m.raw("</figure>\n")
}

func (m *markup) table(t *table) {
	if t.Title != "" {
		m.raw("<h4>").say(t.Title).raw("</h4>\n")
	}
	m.raw(`<div class="scroll" tabindex="0" role="region"`).attr("aria-label", t.Title).raw("><table>\n<thead><tr>")
	for _, c := range t.Columns {
		m.raw(`<th scope="col"`)
		if c.Numeric {
			m.attr("class", "n")
		}
		m.raw(`><button type="button">`).say(c.Title).raw("</button></th>")
	}
	m.raw("</tr></thead>\n<tbody>")
	for _, r := range t.Rows {
		m.row(t.Columns, r)
	}
	m.raw("</tbody>\n</table></div>\n")
	if t.More > 0 {
		m.soft("p", t.left()).raw("\n")
	}
	if t.Note != "" {
		m.soft("p", t.Note).raw("\n")
	}
}

func (m *markup) row(columns []column, r row) {
	m.raw("<tr")
	if r.Class != "" {
		m.attr("class", r.Class)
	}
	if r.Key != "" {
		m.attr("data-key", r.Key)
	}
	m.raw(">")
	for i, c := range r.Cells {
		m.raw("<td")
		switch {
		case columns[i].Numeric:
			m.attr("class", "n")
		case columns[i].Long:
			m.attr("class", "long")
		}
		if c.Known {
			m.attr("data-v", fmt.Sprint(c.Number))
		}
		m.raw(">").say(c.Text).raw("</td>")
	}
	m.raw("</tr>")
}
