using System.Globalization;
using Microsoft.AspNetCore.Http;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// Reads query parameters; each error names the parameter and what it takes, and never repeats what was sent.
/// </summary>
internal static class Parameters
{
    /// <summary>Utility ids, names and sources are short; a longer text is an error.</summary>
    public const int MaxText = 100;

    private static readonly UnixTime Earliest = new(-2_208_988_800); // 1900-01-01
    private static readonly UnixTime Latest = new(7_258_118_400); // 2200-01-01

    private static readonly string[] TimeFormats =
        ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>A misspelt parameter would silently widen the question, so it is refused.</summary>
    public static void Only(HttpRequest request, params ReadOnlySpan<string> names)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!names.Contains(name))
                throw Bad("unknown_parameter", "The query has a parameter that this path does not take.",
                    $"It takes: {Join(names)}.");
            if (values.Count > 1)
                throw Bad("repeated_parameter", $"The parameter {name} is given more than once.",
                    "Give it once.");
        }
    }

    private static string Join(ReadOnlySpan<string> names) => names.IsEmpty ? "none" : string.Join(", ", names);

    public static int Integer(string? text, string name, int otherwise, int max)
    {
        if (text is null) return otherwise;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1
            && value <= max) return value;
        throw Bad($"bad_{name}", $"The parameter {name} is not a whole number from 1 to {max}.",
            $"Give {name}=1 to {name}={max}, or leave it out for {otherwise}.");
    }

    /// <summary>RFC 3339, or a bare date (midnight UTC); null when not given.</summary>
    public static UnixTime? Time(string? text, string name)
    {
        if (text is null) return null;
        if (TryTime(text, out var time)) return time;
        throw Bad($"bad_{name}", $"The parameter {name} is not an RFC 3339 time between 1900 and 2200.",
            $"Write {name}=2026-11-22T00:00:00Z, or {name}=2026-11-22; a + of an offset is written %2B in a URL.");
    }

    public static bool TryTime(string text, out UnixTime time)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var hasZone = text.EndsWith('Z') || text.Length > 16 && text[^6] is '+' or '-' && text[^3] == ':';
        var ok = DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, utc, out var t)
            || hasZone && DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, utc, out t);
        time = ok ? new UnixTime(t.ToUnixTimeSeconds()) : default;
        return ok && time.CompareTo(Earliest) >= 0 && time.CompareTo(Latest) <= 0;
    }

    /// <summary>As of when: event time, and what was known.</summary>
    public static AsOf AsOf(string? at, string? knownAt) => new(Time(at, "at"), Time(knownAt, "known_at"));

    /// <summary><c>true</c> or <c>false</c>; false when not given.</summary>
    public static bool Flag(string? text, string name) => text switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw Bad($"bad_{name}", $"The parameter {name} is neither true nor false.", $"Give {name}=true."),
    };

    /// <summary>A member of an enumeration in snake case; null when not given.</summary>
    public static T? OneOf<T>(string? text, string name) where T : struct, Enum
    {
        if (text is null) return null;
        foreach (var value in Enum.GetValues<T>())
            if (SnakeCase.Of(value) == text) return value;
        throw Bad($"bad_{name}", $"The parameter {name} is none that this path knows.",
            $"Use one of: {string.Join(", ", Enum.GetValues<T>().Select(v => SnakeCase.Of(v)))}.");
    }

    public static void Ordered(UnixTime? from, UnixTime? to)
    {
        if (from is { } a && to is { } b && a.CompareTo(b) >= 0)
            throw Bad("bad_range", "The parameter from is not before to.",
                "Give from earlier than to; to itself is not included.");
    }

    /// <summary>A short text without control characters; null when not given.</summary>
    public static string? Text(string? text, string name)
    {
        if (text is null) return null;
        if (text.Length <= MaxText && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl)) return text.Trim();
        throw Bad($"bad_{name}",
            $"The parameter {name} is empty, longer than {MaxText} characters or has control characters.",
            $"Give {name} as it is written in the meter list.");
    }

    /// <summary>
    /// A meter (16 hexadecimal digits or utility id), or <c>feeder:NAME</c>, <c>cohort:NAME</c>; also <c>KIND:16
    /// digits</c>.
    /// </summary>
    public static TwinKey? Subject(string? text)
    {
        if (Text(text, "subject") is not { } subject) return null;
        var colon = subject.IndexOf(':');
        if (colon < 1 || !TryKind(subject[..colon], out var kind)) return MeterId.ParseOrMap(subject).Twin;
        var name = subject[(colon + 1)..];
        if (name.Length == 0)
            throw Bad("bad_subject", "The parameter subject has no id behind its kind.",
                "Write feeder:NAME.");
        if (kind == TwinKind.Meter) return MeterId.ParseOrMap(name).Twin;
        return name.Length == 16
            && ulong.TryParse(name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            ? new TwinKey(kind, id) : TwinKey.Named(kind, name);
    }

    private static bool TryKind(string text, out TwinKind kind) =>
        Enum.TryParse(text, ignoreCase: true, out kind) && Enum.IsDefined(kind) && char.IsLetter(text[0]);

    public static FindingKind? Kind(string? text)
    {
        if (text is null) return null;
        foreach (var kind in Enum.GetValues<FindingKind>())
            if (Finding.NameOf(kind) == text) return kind;
        throw Bad("bad_kind", "The parameter kind is no kind of finding.",
            $"Use one of: {string.Join(", ", Enum.GetValues<FindingKind>().Select(Finding.NameOf))}.");
    }

    public static Channel Channel(string? text)
    {
        if (text is null) return Hardware.Channel.Import;
        foreach (var channel in Enum.GetValues<Channel>())
            if (NameOf(channel) == text) return channel;
        throw Bad("bad_channel", "The parameter channel is no channel.",
            $"Use one of: {string.Join(", ", Enum.GetValues<Channel>().Select(NameOf))}.");
    }

    public static string NameOf(Channel channel) => channel.ToString().ToLowerInvariant();

    public static ApiProblem Bad(string code, string detail, string hint) => new(400, code, detail, hint);
}
