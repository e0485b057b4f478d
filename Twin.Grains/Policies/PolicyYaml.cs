using System.Globalization;
using Twin.Hardware;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Twin.Grains.Policies;

/// <summary>
/// A mapping of a YAML document that knows where it stands and which of its keys were asked for: a key that nobody
/// asked for is a mistake of whoever wrote it. Errors are collected, not thrown, so that a person sees all at once.
/// </summary>
internal sealed class PolicyYaml(YamlMappingNode node, List<PolicyError> errors)
{
    /// <summary>Deepest nesting, and most errors that are told at once.</summary>
    private const int MaxDepth = 16, MaxErrors = 50;

    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public int Line => (int)node.Start.Line;

    /// <summary>
    /// The root of a text. Anchors, tags, several documents and deep nesting are refused before anything is built.
    /// </summary>
    public static PolicyYaml? Parse(string text, List<PolicyError> errors)
    {
        try
        {
            var depth = 0;
            var parser = new Parser(new StringReader(text));
            while (parser.MoveNext())
            {
                var e = parser.Current!;
                depth += e.NestingIncrease;
                if (depth > MaxDepth) return Fail(errors, e.Start, $"nesting is deeper than {MaxDepth}");
                if (e is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
                    return Fail(errors, e.Start, "anchors and aliases are not taken; write it out");
                if (e is NodeEvent { Tag.IsEmpty: false }) return Fail(errors, e.Start, "tags are not taken");
            }
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root)
                return new PolicyYaml(root, errors);
            return Fail(errors, Mark.Empty, "a policy is one YAML document that begins with 'policy: NAME'");
        }
        catch (YamlException e)
        {
            return Fail(errors, e.Start, e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The parser of the package fails in several ways on what is no YAML.
            return Fail(errors, Mark.Empty, $"this is no YAML: {e.Message}");
        }
    }

    private static PolicyYaml? Fail(List<PolicyError> errors, Mark at, string message)
    {
        errors.Add(new PolicyError((int)at.Line, (int)at.Column, message));
        return null;
    }

    public void Error(YamlNode? at, string message)
    {
        if (errors.Count < MaxErrors)
            errors.Add(new PolicyError((int)(at ?? node).Start.Line, (int)(at ?? node).Start.Column, message));
    }

    public YamlNode? Find(string key)
    {
        _asked.Add(key);
        foreach (var (k, v) in node.Children)
            if (k is YamlScalarNode { Value: { } name } && name == key) return v;
        return null;
    }

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Keys in the document's order, each with its value.</summary>
    public IEnumerable<(string Key, YamlNode At, YamlNode Value)> Entries()
    {
        foreach (var (k, v) in node.Children)
        {
            var name = (k as YamlScalarNode)?.Value ?? "";
            _asked.Add(name);
            yield return (name, k, v);
        }
    }

    /// <summary>A mapping, empty when it is missing and not needed.</summary>
    public PolicyYaml Map(string key, bool isNeeded)
    {
        var found = Find(key);
        if (found is YamlMappingNode map) return new PolicyYaml(map, errors);
        if (found is not null || isNeeded) Error(found, $"'{key}' must be a mapping");
        return new PolicyYaml(new YamlMappingNode(), errors);
    }

    public PolicyYaml Of(YamlNode value, string what)
    {
        if (value is YamlMappingNode map) return new PolicyYaml(map, errors);
        Error(value, $"{what} must be a mapping");
        return new PolicyYaml(new YamlMappingNode(), errors);
    }

    public IEnumerable<YamlNode> List(string key, int most)
    {
        var found = Find(key);
        if (found is null) return [];
        if (found is not YamlSequenceNode list)
        {
            Error(found, $"'{key}' must be a list");
            return [];
        }
        if (list.Children.Count > most) Error(found, $"'{key}' has {list.Children.Count} entries; at most {most}");
        return list.Children.Take(most);
    }

    public string Text(string key, int most, bool isNeeded)
    {
        var found = Find(key);
        if (found is null)
        {
            if (isNeeded) Error(null, $"'{key}' is missing");
            return "";
        }
        return TextOf(found, key, most);
    }

    private string TextOf(YamlNode value, string what, int most)
    {
        if (value is not YamlScalarNode { Value: { } text })
        {
            Error(value, $"'{what}' must be a text");
            return "";
        }
        if (text.Length <= most) return text;
        Error(value, $"'{what}' has {text.Length} characters; at most {most}");
        return text[..most];
    }

    public double Number(string key, double least, double most, double? otherwise)
    {
        var found = Find(key);
        if (found is not null) return NumberOf(found, key, least, most);
        if (otherwise is null) Error(null, $"'{key}' is missing: a number from {Say(least)} to {Say(most)}");
        return otherwise ?? least;
    }

    public double NumberOf(YamlNode value, string what, double least, double most)
    {
        if (value is YamlScalarNode { Value: { } text }
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most) return number;
        Error(value, $"'{what}' must be a number from {Say(least)} to {Say(most)}, not '{value}'");
        return least;
    }

    public int Whole(string key, int least, int most, int? otherwise) =>
        (int)Math.Round(Number(key, least, most, otherwise));

    private static string Say(double number) => number.ToString("0.###", CultureInfo.InvariantCulture);

    public bool? Flag(string key)
    {
        var found = Find(key);
        if (found is null) return null;
        if (found is YamlScalarNode { Value: "true" or "yes" }) return true;
        if (found is YamlScalarNode { Value: "false" or "no" }) return false;
        Error(found, $"'{key}' must be true or false, not '{found}'");
        return null;
    }

    /// <summary>A span as <c>90s</c>, <c>15m</c>, <c>6h</c> or <c>7d</c>, in seconds; at most ten years.</summary>
    public int Seconds(string key, int otherwise)
    {
        var found = Find(key);
        if (found is null) return otherwise;
        const int most = 3_653 * 86_400;
        if (found is YamlScalarNode { Value: { Length: > 1 } text } && long.TryParse(text.AsSpan(0, text.Length - 1),
            NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n < most)
        {
            var seconds = text[^1] switch { 's' => n, 'm' => 60 * n, 'h' => 3_600 * n, 'd' => 86_400 * n, _ => -1 };
            if (seconds is >= 0 and <= most) return (int)seconds;
        }
        Error(found, $"'{key}' must be a span like 90s, 15m, 6h or 7d, not '{found}'");
        return otherwise;
    }

    /// <summary>A name of an enumeration, written as <c>block_writes</c>.</summary>
    public T? Name<T>(string key) where T : struct, Enum => Find(key) is { } found ? NameOf<T>(found, key) : null;

    public T? NameOf<T>(YamlNode value, string what) where T : struct, Enum
    {
        var text = (value as YamlScalarNode)?.Value ?? "";
        foreach (var name in Enum.GetValues<T>())
            if (SnakeCase.Of(name) == text) return name;
        Error(value, $"'{what}' knows no '{text}'; allowed: "
            + string.Join(", ", Enum.GetValues<T>().Select(SnakeCase.Of)));
        return null;
    }

    /// <summary>One name or a list of names.</summary>
    public T[] Names<T>(string key) where T : struct, Enum
    {
        var found = Find(key);
        if (found is null) return [];
        if (found is YamlScalarNode) return NameOf<T>(found, key) is { } one ? [one] : [];
        return [.. List(key, 256).Select(v => NameOf<T>(v, key)).OfType<T>()];
    }

    public string[] Texts(string key)
    {
        var found = Find(key);
        if (found is null) return [];
        return found is YamlScalarNode ? [TextOf(found, key, 200)]
            : [.. List(key, 256).Select(v => TextOf(v, key, 200))];
    }

    /// <summary>Says which keys nobody asked for, and which there are.</summary>
    public void Close(string what)
    {
        foreach (var key in node.Children.Keys)
            if (key is not YamlScalarNode { Value: { } name } || !_asked.Contains(name))
                Error(key, $"{what} knows no '{key}'; allowed: "
                    + string.Join(", ", _asked.Order(StringComparer.Ordinal)));
    }
}
