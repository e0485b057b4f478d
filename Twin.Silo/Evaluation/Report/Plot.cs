using System.Globalization;
using System.Net;
using System.Text;

namespace Twin.Silo.Evaluation.Report;

/// <summary>
/// One drawing as inline SVG: a plotting area with two scales, marks, labels. Colours and weights are classes of the
/// page's style sheet, so that nothing needs a style attribute.
/// </summary>
internal sealed class Plot
{
    public const int Width = 860;
    private const int Top = 14, Right = 58;
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private readonly StringBuilder _svg = new();
    private readonly Func<double, double> _x, _y;

    /// <summary>Height of the drawing; left margin for labels of rows.</summary>
    private readonly int _height, _left, _bottom;

    /// <param name="title">Read aloud in place of the picture.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="left">Pixels left of the plotting area.</param>
    /// <param name="bottom">Pixels below it.</param>
    /// <param name="x">Place on the horizontal axis, 0 to 1, of a value.</param>
    /// <param name="y">Place on the vertical axis, 0 (bottom) to 1, of a value.</param>
    public Plot(string title, int height, int left, int bottom, Func<double, double> x, Func<double, double> y)
    {
        (_height, _left, _bottom, _x, _y) = (height, left, bottom, x, y);
        _svg.Append(Invariant, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Encode(title)}\">");
    }

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    private double X(double x) => _left + _x(x) * (Width - _left - Right);

    private double Y(double y) => Top + (1 - _y(y)) * (_height - Top - _bottom);

    private double Floor => _height - _bottom;

    /// <summary>A vertical grid line with its label below.</summary>
    public void TickX(double x, string label)
    {
        _svg.Append(Invariant, $"<line class=\"grid\" x1=\"{X(x):0.#}\" y1=\"{Top}\" x2=\"{X(x):0.#}\" "
            + $"y2=\"{Floor:0.#}\"/>");
        _svg.Append(Invariant, $"<text class=\"tick\" x=\"{X(x):0.#}\" y=\"{Floor + 18:0.#}\" "
            + $"text-anchor=\"middle\">{Encode(label)}</text>");
    }

    /// <summary>A horizontal grid line with its label on the left.</summary>
    public void TickY(double y, string label)
    {
        _svg.Append(Invariant, $"<line class=\"grid\" x1=\"{_left}\" y1=\"{Y(y):0.#}\" x2=\"{Width - Right}\" "
            + $"y2=\"{Y(y):0.#}\"/>");
        RowLabel(y, label, "tick");
    }

    public void RowLabel(double y, string label, string style) =>
        _svg.Append(Invariant, $"<text class=\"{style}\" x=\"{_left - 8}\" y=\"{Y(y) + 4:0.#}\" "
            + $"text-anchor=\"end\">{Encode(label)}</text>");

    public void AxisX(string label) =>
        _svg.Append(Invariant, $"<text class=\"axis\" x=\"{(_left + Width - Right) / 2}\" y=\"{_height - 4}\" "
            + $"text-anchor=\"middle\">{Encode(label)}</text>");

    public void AxisY(string label)
    {
        var middle = (Top + Floor) / 2;
        _svg.Append(Invariant, $"<text class=\"axis\" transform=\"translate(14 {middle:0.#}) rotate(-90)\" "
            + $"text-anchor=\"middle\">{Encode(label)}</text>");
    }

    /// <summary>A line across at a value of x, with its label at the top.</summary>
    public void Mark(double x, string label)
    {
        _svg.Append(Invariant, $"<line class=\"mark\" x1=\"{X(x):0.#}\" y1=\"{Top}\" x2=\"{X(x):0.#}\" "
            + $"y2=\"{Floor:0.#}\"/>");
        _svg.Append(Invariant, $"<text class=\"tick\" x=\"{X(x) + 5:0.#}\" y=\"{Top + 12}\">{Encode(label)}</text>");
    }

    public void Line(IEnumerable<(double X, double Y)> points, string style)
    {
        var path = string.Join(' ', points.Select(p =>
            string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}")));
        _svg.Append(Invariant, $"<polyline class=\"line {style}\" points=\"{path}\"/>");
    }

    public void Span(double from, double to, double y, double down, string style) =>
        _svg.Append(Invariant, $"<line class=\"span {style}\" x1=\"{X(from):0.#}\" y1=\"{Y(y) + down:0.#}\" "
            + $"x2=\"{X(to):0.#}\" y2=\"{Y(y) + down:0.#}\"/>");

    public void Dot(double x, double y, double down, double radius, string style) =>
        _svg.Append(Invariant, $"<circle class=\"{style}\" cx=\"{X(x):0.#}\" cy=\"{Y(y) + down:0.#}\" "
            + $"r=\"{radius:0.#}\"/>");

    public void Diamond(double x, double y, double down, string style)
    {
        var (cx, cy) = (X(x), Y(y) + down);
        _svg.Append(Invariant, $"<path class=\"{style}\" d=\"M{cx:0.#} {cy - 6:0.#}l6 6l-6 6l-6 -6z\"/>");
    }

    /// <summary>A bar from 0 to a value, in a row.</summary>
    public void Bar(double to, double y, double down, double height, string style) =>
        _svg.Append(Invariant, $"<rect class=\"{style}\" x=\"{X(0):0.#}\" y=\"{Y(y) + down:0.#}\" "
            + $"width=\"{Math.Max(1, X(to) - X(0)):0.#}\" height=\"{height:0.#}\" rx=\"2\"/>");

    /// <summary>Text behind a value of a row.</summary>
    public void Note(double x, double y, double down, string text) =>
        _svg.Append(Invariant, $"<text class=\"note\" x=\"{X(x) + 8:0.#}\" "
            + $"y=\"{Y(y) + down:0.#}\">{Encode(text)}</text>");

    public override string ToString() => _svg + "</svg>";

    /// <summary>A key of what the marks mean; shapes are line, dot, ring, diamond or bar.</summary>
    public static string Key(params ReadOnlySpan<(string Shape, string Style, string Text)> entries)
    {
        var key = new StringBuilder("<p class=\"key\">");
        foreach (var (shape, style, text) in entries)
        {
            var drawn = shape switch
            {
                "line" => $"<line class=\"line {style}\" x1=\"0\" y1=\"7\" x2=\"26\" y2=\"7\"/>",
                "diamond" => $"<path class=\"{style}\" d=\"M13 1l6 6l-6 6l-6 -6z\"/>",
                "bar" => $"<rect class=\"{style}\" x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"2\"/>",
                _ => $"<circle class=\"{style}\" cx=\"13\" cy=\"7\" r=\"5\"/>",
            };
            key.Append("<span><svg class=\"swatch\" viewBox=\"0 0 26 14\" aria-hidden=\"true\">").Append(drawn)
                .Append("</svg> ").Append(Encode(text)).Append("</span>");
        }
        return key.Append("</p>").ToString();
    }
}
