using System.Text.Json;

namespace Twin.Ingest.Profiles;

/// <summary>A place in a JSON document that knows its path, so that every error can name it.</summary>
internal readonly struct Node(string file, string path, JsonElement element)
{
    private readonly string _path = path;

    public string Name => _path[(_path.LastIndexOf('.') + 1)..];

    public FormatError Bad(string problem, string remedy) => new(file, $"property '{_path}' {problem}.", remedy);

    public FormatError Missing(string name) => At(name).Bad("is missing", "Add it.");

    public Node At(string name) =>
        new(file, _path.Length == 0 ? name : $"{_path}.{name}", TryGet(name, out var e) ? e : default);

    private bool TryGet(string name, out JsonElement e)
    {
        e = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out e);
    }

    public bool Has(string name) => TryGet(name, out var e) && e.ValueKind != JsonValueKind.Null;

    public void Only(params ReadOnlySpan<string> known)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Bad("is no object", "Write it as { … }.");
        foreach (var p in element.EnumerateObject())
            if (!known.Contains(p.Name)) throw At(p.Name).Bad("is not known",
                $"Known here: {string.Join(", ", known)}.");
    }

    public string AsText() =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Bad("is no text", "Put it in quotes.");

    public string Text(string name)
    {
        var text = OptionalText(name) ?? throw Missing(name);
        return text.Length > 0 ? text : throw At(name).Bad("is empty", "Give a value.");
    }

    public string? OptionalText(string name) => Has(name) ? At(name).AsText() : null;

    public int? OptionalInt(string name)
    {
        if (!TryGet(name, out var e) || e.ValueKind == JsonValueKind.Null) return null;
        return e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var v) ? v
            : throw At(name).Bad("is no whole number", "");
    }

    public Node Object(string name)
    {
        if (!TryGet(name, out var e)) throw Missing(name);
        return e.ValueKind == JsonValueKind.Object ? At(name)
            : throw At(name).Bad("is no object", "Write it as { … }.");
    }

    public List<Node> Members()
    {
        var members = new List<Node>();
        foreach (var p in element.EnumerateObject()) members.Add(new Node(file, $"{_path}.{p.Name}", p.Value));
        return members;
    }

    public List<Node> Items(string name)
    {
        if (!TryGet(name, out var e)) throw Missing(name);
        if (e.ValueKind != JsonValueKind.Array) throw At(name).Bad("is no list", "Write it as [ … ].");
        var items = new List<Node>();
        foreach (var item in e.EnumerateArray()) items.Add(new Node(file, $"{At(name)._path}[{items.Count}]", item));
        return items;
    }

    public List<string>? Texts(string name) => Has(name) ? [.. Items(name).Select(static i => i.AsText())] : null;

    public T Choice<T>(string name, params ReadOnlySpan<(string Text, T Value)> options)
    {
        var text = Text(name);
        foreach (var o in options)
            if (o.Text == text) return o.Value;
        throw At(name).Bad($"is '{text}'", $"Use {string.Join(" or ", options.ToArray().Select(static o => o.Text))}.");
    }
}
