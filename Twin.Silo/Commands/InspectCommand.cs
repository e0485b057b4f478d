using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin inspect</c>: one meter's twin, now or in the past, from a data directory or a running service.
/// </summary>
internal static class InspectCommand
{
    public static Command Make()
    {
        var data = Cli.Flag("data");
        var meter = new Argument<string>("meter") { Description = "the utility's id, or 16 hexadecimal digits" };
        var at = new Option<string?>("--at") { Description = "as of this event time (RFC 3339)" };
        var url = new Option<string?>("--url") { Description = "ask a running service instead of a data directory" };
        var command = new Command("inspect", "Show one meter's twin and its findings.")
        {
            meter, at, data, url, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            UnixTime? time = null;
            if (p.GetValue(at) is { } text)
                time = UnixTime.TryParse(text, out var t) ? t
                    : throw new ArgumentException($"--at is '{text}'; it must be a time like 2026-01-31T12:00:00Z.");
            if (p.GetValue(url) is { } service)
                return await Remote(service, p.GetValue(meter)!, p.GetValue(at), cancel);
            return await Local(Cli.Settings(p, data).Data, p.GetValue(meter)!, time, p.GetValue(Cli.JsonFlag));
        }));
        return command;
    }

    private static async Task<int> Remote(string service, string meter, string? at, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var query = at is null ? "" : "?at=" + Uri.EscapeDataString(at);
        try
        {
            using var response = await client.GetAsync(
                $"{service.TrimEnd('/')}/api/v1/meters/{Uri.EscapeDataString(meter)}{query}", cancel);
            Console.WriteLine(await response.Content.ReadAsStringAsync(cancel));
            return response.IsSuccessStatusCode ? Cli.Ok : Cli.Unusable;
        }
        catch (HttpRequestException e)
        {
            throw new IOException(
                $"No service answers at {service} ({e.Message}). Start one with 'metertwin serve', or give --data.", e);
        }
    }

    private static async Task<int> Local(string data, string meter, UnixTime? at, bool json)
    {
        using (DataDirectory.Open(data, mustExist: true)) { }
        await using var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = data, SnapshotOnClose = false },
            new TwinFactory(), Cli.Message);
        var id = await MeterLookup.Find(fleet, meter, CancellationToken.None);
        var state = await fleet.State(id.Twin, at, CancellationToken.None)
            ?? throw new ArgumentException($"Meter {meter} was not there at {at}.");
        var view = MeterView.From(id.Twin, state);
        var findings = await fleet.Findings(new FindingQuery(id.Twin, null, null,
            at is { } t ? new UnixTime(t.Seconds + 1) : null, 100), CancellationToken.None);
        if (json)
            Cli.Print(new
            {
                id = id.ToString(), as_of = at?.ToString(),
                twin = System.Text.Json.JsonSerializer.SerializeToNode(view, Twin.Api.ApiJson.Options),
                findings = findings.Select(FindingFile.Line.Of)
            });
        else Print(view, findings, at);
        return Cli.Ok;
    }

    private static void Print(MeterView v, IReadOnlyList<Finding> findings, UnixTime? at)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine($"meter {v.Name} ({v.Id})" + (at is { } t ? $" as of {t}" : ""));
        Console.WriteLine($"  {v.Role.ToString().ToLowerInvariant()} on feeder {Or(v.Feeder)}, {Or(v.Model)} firmware "
            + $"{Or(v.Firmware)} lot {Or(v.Lot)}, zone {Or(v.Zone)}");
        foreach (var channel in v.Channels)
        {
            Console.WriteLine(
                string.Create(c,
                $"  {channel.Channel.ToString().ToLowerInvariant(),-8}{channel.Stored,10:n0} readings of "
                + $"{channel.IntervalMinutes} min, {channel.Missing:n0} missing, {channel.Late:n0} late, "
                + $"{UnixTime.FromMinutes(channel.FirstMinute)} to {UnixTime.FromMinutes(channel.LastMinute)}, sum "
                    + $"{channel.Sum:n0}"));
        }
        if (v.Security is { } s) Print(s);
        foreach (var f in findings)
            Console.WriteLine($"  {f.DetectedAt}  {f.Severity.ToString().ToLowerInvariant(),-8} "
                + $"{Finding.NameOf(f.Kind)} {f.Id}: {f.Sentence}");
        if (findings.Count == 0) Console.WriteLine("  no findings");
    }

    private static void Print(SecurityView s)
    {
        Console.WriteLine(s.BaselinedAt is { } since
            ? $"  attested since {since}, last {s.LastFresh ?? s.LastQuote}, {s.LogEntries} log entries"
            : "  never attested");
        foreach (var p in s.Parts)
            Console.WriteLine($"  {p.Part.ToString().ToLowerInvariant(),-14}version {p.Version}, image "
                + $"{p.Image[..12]}, {p.Source.ToString().ToLowerInvariant()}");
        foreach (var l in s.Lineage)
            Console.WriteLine($"  {l.At}  {l.Part.ToString().ToLowerInvariant()} version {l.Version}: "
                + $"{l.Source.ToString().ToLowerInvariant()} {l.Campaign}".TrimEnd());
        foreach (var k in s.Keys)
            Console.WriteLine($"  key {k.Slot}: activated {Known(k.Activated)}, last use {Known(k.LastUse)}"
                + (k.FromMeter is { } counter ? $", counter {counter}" : "")
                + (k.Compromised is { } bad ? $", compromised {bad}" : ""));
        var failed = s.CryptographicChecks.Where(c => c.Passed == false).Select(c => c.Check).ToArray();
        var passed = s.CryptographicChecks.Count(c => c.Passed == true);
        Console.WriteLine(failed.Length == 0
            ? passed == 0 ? "  cryptographic checks: none could be made yet"
                : $"  cryptographic checks: all {passed} that could be made pass"
            : $"  cryptographic checks: {passed} pass, failed: {string.Join(", ", failed)}");
        if (s.Result is { } result)
            Console.WriteLine($"  attestation result: {result.Status.ToString().ToLowerInvariant()}");
    }

    private static string Known(UnixTime? at) => at is { } t ? t.ToString() : "(not known)";

    private static string Or(string text) => text.Length == 0 ? "(not given)" : text;
}
