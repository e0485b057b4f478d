using System.Text;
using System.Text.Encodings.Web;

namespace Twin.Api;

/// <summary>Writes HTML. Everything goes through <see cref="Text"/> but the constants of the page itself.</summary>
internal sealed class Html
{
    private readonly StringBuilder _to = new(16 * 1024);

    /// <summary>Markup: constants only.</summary>
    public Html Raw(string markup)
    {
        _to.Append(markup);
        return this;
    }

    /// <summary>Text or an attribute's value, escaped.</summary>
    public Html Text(string text)
    {
        _to.Append(HtmlEncoder.Default.Encode(text));
        return this;
    }

    public void Table(string caption, params ReadOnlySpan<string> heads)
    {
        Raw("<table><caption>").Text(caption).Raw("</caption><thead><tr>");
        foreach (var head in heads) Raw("<th scope=\"col\">").Text(head).Raw("</th>");
        Raw("</tr></thead><tbody>");
    }

    public void Row(params ReadOnlySpan<string> cells)
    {
        Raw("<tr>");
        foreach (var cell in cells) Raw("<td>").Text(cell).Raw("</td>");
        Raw("</tr>");
    }

    public void EndTable() => Raw("</tbody></table>");

    public override string ToString() => _to.ToString();
}
