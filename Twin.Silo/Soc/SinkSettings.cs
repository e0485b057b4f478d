using System.Text.Json;
using System.Text.Json.Serialization;

namespace Twin.Silo.Soc;

/// <summary>A sink as its settings file names it; which fields count depends on the kind.</summary>
internal sealed record SinkSetting
{
    public required string Name { get; init; }

    /// <summary>file, syslog or webhook.</summary>
    public required string Kind { get; init; }

    /// <summary>ocsf, ecs, cef or text.</summary>
    public string Format { get; init; } = "ocsf";

    /// <summary>file: where.</summary>
    public string? Path { get; init; }

    /// <summary>file: size at which a new one begins, MiB.</summary>
    public int MaxMib { get; init; } = 100;

    /// <summary>file: old ones kept.</summary>
    public int Keep { get; init; } = 10;

    /// <summary>syslog: udp://, tcp:// or tls://host:port; webhook: https://… (http:// only to this machine).</summary>
    public string? Url { get; init; }

    /// <summary>syslog over TLS: PEM of the authority.</summary>
    public string? Authority { get; init; }

    /// <summary>syslog: private enterprise number of the operator.</summary>
    public int Enterprise { get; init; } = Rfc5424.ExampleEnterprise;

    /// <summary>webhook: file with the shared secret.</summary>
    public string? SecretFile { get; init; }
}

/// <summary>Reads the file of sinks and makes them.</summary>
internal static class SinkSettings
{
    public const int MaxSinks = 16;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true,
    };

    /// <exception cref="SettingException">The file cannot be used; the message says where and why.</exception>
    public static IReadOnlyList<SinkSetting> Read(string file)
    {
        try
        {
            var sinks = JsonSerializer.Deserialize<List<SinkSetting>>(File.ReadAllBytes(file), Options)
                ?? throw new SettingException($"{file} must hold one JSON array of sinks.");
            if (sinks.Count > MaxSinks) throw new SettingException($"{file}: at most {MaxSinks} sinks.");
            foreach (var sink in sinks)
                if (Refusal(sink) is { } why) throw new SettingException($"{file}: sink '{sink.Name}': {why}");
            return sinks.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1) is { } twice
                ? throw new SettingException($"{file}: sink '{twice.Key}' is there twice; a name is a cursor.") : sinks;
        }
        catch (JsonException e)
        {
            throw new SettingException($"{file}, line {e.LineNumber + 1}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{file}: {e.Message}");
        }
    }

    private static string? Refusal(SinkSetting s)
    {
        if (s.Name.Length is 0 or > 40 || !s.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            return "a name has 1 to 40 letters, digits, - or _.";
        if (FormatOf(s.Format) is null) return $"format '{s.Format}' is none of ocsf, ecs, cef, text.";
        switch (s.Kind)
        {
            case "file":
                return string.IsNullOrEmpty(s.Path) ? "a file needs 'path'."
                    : s.MaxMib is < 1 or > 10_240 || s.Keep is < 1 or > 1_000
                        ? "'max_mib' is 1 to 10240, 'keep' 1 to 1000." : null;
            case "syslog":
                return Uri.TryCreate(s.Url, UriKind.Absolute, out var to) && to.Scheme is "udp" or "tcp" or "tls"
                    && to.Port > 0 ? null : "'url' must be udp://, tcp:// or tls:// with host and port.";
            case "webhook":
                if (string.IsNullOrEmpty(s.SecretFile)) return "a webhook needs 'secret_file'.";
                return Uri.TryCreate(s.Url, UriKind.Absolute, out var url)
                    && (url.Scheme == "https" || url is { Scheme: "http", IsLoopback: true })
                        ? null : "'url' must be https://, or http:// to this machine.";
            default:
                return $"kind '{s.Kind}' is none of file, syslog, webhook.";
        }
    }

    /// <summary>A sink of a setting that <see cref="Read"/> took.</summary>
    /// <exception cref="SettingException">A file that it names cannot be used.</exception>
    public static ISocSink Make(SinkSetting s, TimeProvider clock)
    {
        var format = FormatOf(s.Format)!.Value;
        if (s.Kind == "file") return new FileSink(s.Path!, format, (long)s.MaxMib * 1024 * 1024, s.Keep);
        var url = new Uri(s.Url!);
        if (s.Kind == "webhook")
            return new WebhookSink(url, WebhookSink.SecretOf(s.SecretFile!), format, clock, TimeSpan.FromSeconds(1));
        var transport = url.Scheme switch
        {
            "udp" => SyslogTransport.Udp,
            "tcp" => SyslogTransport.Tcp,
            _ => SyslogTransport.Tls,
        };
        return new SyslogSink(new SyslogTarget(transport, url.Host, url.Port, format, s.Enterprise, s.Authority),
            Environment.MachineName);
    }

    private static SocFormat? FormatOf(string name) => name switch
    {
        "ocsf" => SocFormat.Ocsf,
        "ecs" => SocFormat.Ecs,
        "cef" => SocFormat.Cef,
        "text" => SocFormat.Text,
        _ => null,
    };
}
