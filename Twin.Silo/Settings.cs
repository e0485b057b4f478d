using System.Globalization;
using System.Text.Json;
using Twin.Hardware;

namespace Twin.Silo;

/// <summary>
/// A setting: its key in <c>metertwin.json</c>, and how it is checked. The flag is <c>--key</c>, the variable
/// <c>METERTWIN_KEY</c>.
/// </summary>
public sealed record SettingKey(string Key, string Default, string Meaning, Func<string, string?> Check)
{
    public string Variable => "METERTWIN_" + Key.Replace('-', '_').ToUpperInvariant();
}

/// <summary>One setting in force and who set it.</summary>
public sealed record SettingValue(SettingKey Key, string Value, string Source);

/// <summary>A setting that cannot be used; the message names it, its source and what is allowed.</summary>
public sealed class SettingException(string message) : Exception(message);

/// <summary>
/// Configuration of the host: flags, then METERTWIN_* variables, then metertwin.json in the working directory, then
/// defaults.
/// </summary>
public sealed class Settings
{
    public const string FileName = "metertwin.json";

    /// <summary>Days that a local day stays open for stragglers (DESIGN, invariant 4).</summary>
    public const int DefaultHorizonDays = 3;

    /// <summary>Every setting there is; one place.</summary>
    public static IReadOnlyList<SettingKey> Keys { get; } =
    [
        new("data", "metertwin-data", "data directory", v => v.Length == 0 ? "a path" : null),
        new("shards", Math.Clamp(Environment.ProcessorCount, 1, 64).ToString(CultureInfo.InvariantCulture),
            "compute partitions", WholeNumber(1, 64)),
        new("horizon-days", DefaultHorizonDays.ToString(CultureInfo.InvariantCulture),
            "days that a local day stays open for stragglers", WholeNumber(0, 35)),
        new("retention-days", "0", "days of readings kept; 0: for ever", v =>
            v == "0" ? null : WholeNumber(35, 36_525)(v) is { } e ? "0 or " + e : null),
        new("port", "8080", "port of the HTTP API on the loopback address; 0: any free one", WholeNumber(0, 65_535)),
        new("listen", "127.0.0.1", "address that the HTTP API listens on; one that others reach needs TLS", v =>
            System.Net.IPAddress.TryParse(v, out _) ? null : "an IP address"),
        new("tls-cert", "", "certificate of the HTTP API with its chain, PEM; empty: no TLS", _ => null),
        new("tls-key", "", "its private key, PEM; empty: it is in the file of the certificate", _ => null),
        new("client-ca", "", "authorities of client certificates, PEM: the common name is a service's; empty: none",
            _ =>
            null),
        new("allowed-hosts", "", "names that the HTTP API answers for beside localhost, with commas between",
            _ => null),
        new("oidc-issuer", "", "issuer of tokens of your own sign-in (OpenID Connect); empty: none", _ => null),
        new("oidc-audience", "", "audience that such a token must name", _ => null),
        new("oidc-keys", "", "the issuer's signing keys, a JWKS file", _ => null),
        new("oidc-claim", "preferred_username", "claim that holds a person's name", v => v.Length > 0 ? null
            : "the name of a claim"),
        new("tick-minutes", "15", "minutes between journalled clock ticks", WholeNumber(1, 1440)),
        new("dlms-port", "off", "port of the DLMS receiver on the loopback address; 0: any free one; off: none", v =>
            v == "off" ? null : WholeNumber(0, 65_535)(v) is { } e ? "off or " + e : null),
        new("keys", "", "key file that opens ciphered frames; empty: keyless, the head-end decrypts", _ => null),
        new("dlms-list-energy-wh", "", "Wh a count of energy in lists that tell no unit, 1 or 10; empty: left out",
            v => v is "" or "1" or "10" ? null : "1, 10 or empty"),
        new("dlms-zone", "", "zone of meter clocks that tell no distance to UTC; empty: UTC", v =>
            v.Length == 0 || ZoneRules.TryGet(v, out _) ? null
                : "an IANA name such as Europe/Oslo or an offset such as +01:00"),
        new("sinks", "", "file of the receivers that hear of findings, cases and responses; empty: none", _ => null),
        new("ledger-key", "", "file of the key that seals the ledger; empty: ledger.key in the data directory, and "
            + "with the orleans engine none", _ => null),
        new("head-end", "", "address that orders are posted to (IEC 61968-100); empty: they stay in the ledger",
            HttpAddress),
        new("head-end-format", "xml", "how orders are written", v => v is "xml" or "json" ? null : "xml or json"),
        new("head-end-replies", "", "address of this service, as the head-end reaches it, for replies that come later; "
            + "empty: the answer to a request is the outcome", HttpAddress),
        new("replay-files", "", "folder of recordings that jobs may replay; empty: only what is sent", _ => null),
        new("mirror", "", "address of a server of time series that gets a copy of readings, scores and findings; "
            + "empty: none", HttpAddress),
        new("mirror-kind", "influx1", "what the server speaks", v => Edition.Mirrors.ContainsKey(v) ? null
            : string.Join(" or ", Edition.Mirrors.Keys)),
        new("mirror-bucket", "metertwin", "database of influx1, ORGANISATION/BUCKET of influx2; victoria has none", v =>
            v.Length is > 0 and <= 200 && !v.Any(char.IsControl) ? null : "a name of 1 to 200 characters"),
        new("mirror-token-file", "", "file (mode 0600) with the token, for influx1 USER:PASSWORD; empty: none",
            _ => null),
        new("engine", Edition.DefaultEngine, "engine that hosts the twins", Edition.CheckEngine),
        new("database-file", "", "file (mode 0600) with the connection string of PostgreSQL for the orleans engine; "
            + "empty: variable METERTWIN_DATABASE", _ => null),
        new("cluster", "", "name of the cluster that this silo joins; empty: this machine alone", v =>
            v.Length <= 64 && v.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null
                : "up to 64 letters, digits, - or _"),
        new("silo-port", "11111", "port for the other silos of the cluster", WholeNumber(1, 65_535)),
        new("gateway-port", "30000", "port for clients of the cluster", WholeNumber(1, 65_535)),
        new("advertise", "", "address at which other silos reach this one; empty: the machine's own", v =>
            v.Length == 0 || System.Net.IPAddress.TryParse(v, out _) ? null : "an IP address"),
    ];

    private readonly Dictionary<string, SettingValue> _values = [];

    private Settings() { }

    public IEnumerable<SettingValue> All => Keys.Select(k => _values[k.Key]);
    public string Data => _values["data"].Value;
    public int Shards => Int("shards");
    public int HorizonDays => Int("horizon-days");
    public int? RetentionDays => Int("retention-days") is var d && d > 0 ? d : null;
    public int Port => Int("port");
    public string Listen => _values["listen"].Value;
    public string? TlsCertificate => Text("tls-cert");

    /// <summary>Null: in the file of the certificate.</summary>
    public string? TlsKey => Text("tls-key");
    public string? ClientAuthority => Text("client-ca");
    public string[] AllowedHosts => _values["allowed-hosts"].Value.Split(',',
        StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    public string? OidcIssuer => Text("oidc-issuer");
    public string? OidcAudience => Text("oidc-audience");
    public string? OidcKeys => Text("oidc-keys");
    public string OidcClaim => _values["oidc-claim"].Value;
    public int TickMinutes => Int("tick-minutes");

    /// <summary>Null: no receiver.</summary>
    public int? DlmsPort => _values["dlms-port"].Value == "off" ? null : Int("dlms-port");

    /// <summary>Null: keyless.</summary>
    public string? KeyFile => _values["keys"].Value is { Length: > 0 } file ? file : null;
    public int? DlmsListEnergyWh => _values["dlms-list-energy-wh"].Value is { Length: > 0 } wh
        ? int.Parse(wh, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>Null: nobody is told.</summary>
    public string? SinkFile => Text("sinks");

    /// <summary>Null: the one in the data directory; with the orleans engine none.</summary>
    public string? LedgerKeyFile => Text("ledger-key");

    /// <summary>Null: orders stay in the ledger.</summary>
    public Gateways.HeadEndOptions? HeadEnd => Text("head-end") is not { } url ? null
        : new(new Uri(url), Text("head-end-replies") is { } replies ? new Uri(replies) : null,
            HeadEndFormat == "json");
    public string HeadEndFormat => _values["head-end-format"].Value;

    /// <summary>Null: jobs replay only what is sent.</summary>
    public string? ReplayFiles => Text("replay-files");

    /// <summary>Null: no mirror.</summary>
    public string? Mirror => Text("mirror");

    /// <summary>One of <see cref="Edition.Mirrors"/>.</summary>
    public string MirrorKind => _values["mirror-kind"].Value;
    public string MirrorBucket => _values["mirror-bucket"].Value;

    /// <summary>Null: the server asks for none.</summary>
    public string? MirrorTokenFile => Text("mirror-token-file");

    /// <summary>One of <see cref="Edition.Engines"/>.</summary>
    public string Engine => _values["engine"].Value;

    /// <summary>Null: the connection string is in the environment.</summary>
    public string? DatabaseFile => Text("database-file");

    /// <summary>Null: this machine alone.</summary>
    public string? Cluster => Text("cluster");
    public int SiloPort => Int("silo-port");
    public int GatewayPort => Int("gateway-port");
    public string? Advertise => Text("advertise");

    private string? Text(string key) => _values[key].Value is { Length: > 0 } text ? text : null;

    public string? DlmsZone => _values["dlms-zone"].Value is { Length: > 0 } zone ? zone : null;

    private int Int(string key) => int.Parse(_values[key].Value, CultureInfo.InvariantCulture);

    /// <param name="flags">Settings given as flags.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="file">Path of the settings file; it need not exist.</param>
    /// <exception cref="SettingException">A value or a key is not allowed.</exception>
    public static Settings Load(IReadOnlyDictionary<string, string> flags, Func<string, string?> variable, string file)
    {
        var fromFile = ReadFile(file);
        foreach (var key in fromFile.Keys)
            if (Keys.All(k => k.Key != key))
                throw new SettingException(
                    $"{file}: '{key}' is no setting. Known: {string.Join(", ", Keys.Select(k => k.Key))}.");
        var settings = new Settings();
        foreach (var key in Keys)
        {
            var found = flags.TryGetValue(key.Key, out var flag) ? new SettingValue(key, flag, "--" + key.Key)
                : variable(key.Variable) is { } v ? new SettingValue(key, v, key.Variable)
                : fromFile.TryGetValue(key.Key, out var text) ? new SettingValue(key, text, file)
                : new SettingValue(key, key.Default, "default");
            if (key.Check(found.Value) is { } allowed)
                throw new SettingException(
                    $"{found.Source}: '{key.Key}' is '{found.Value}'; it must be {allowed} ({key.Meaning}).");
            settings._values[key.Key] = found;
        }
        return settings;
    }

    private static Dictionary<string, string> ReadFile(string file)
    {
        if (!File.Exists(file)) return [];
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new SettingException($"{file} must hold one JSON object of settings.");
            var values = new Dictionary<string, string>();
            foreach (var p in document.RootElement.EnumerateObject())
                if (!values.TryAdd(p.Name, p.Value.ToString()))
                    throw new SettingException($"{file}: '{p.Name}' is there twice. Keep one.");
            return values;
        }
        catch (JsonException e)
        {
            throw new SettingException($"{file}, line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: it is no "
                + $"valid JSON. Correct or remove it.");
        }
    }

    private static string? HttpAddress(string value) => value.Length == 0
        || Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            && (url.Scheme == "https" || url.IsLoopback) && url.UserInfo.Length == 0 ? null
        : "an address with https://, or http:// to this machine, without a name and password";

    private static Func<string, string?> WholeNumber(int min, int max) => value =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= min && n <= max ? null
            : $"a whole number from {min} to {max}";
}
