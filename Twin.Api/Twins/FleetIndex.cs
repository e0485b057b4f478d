using System.Diagnostics;
using Twin.Grains;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// What lists filter and sort by: a picture of all meters and of the newest findings, made from their twins when it is
/// first asked for. An old picture is answered from while one task makes the next, so that nobody waits after the
/// first; <see cref="FleetPicture.At"/> tells how old it is.
/// </summary>
internal sealed class FleetIndex(IFleet fleet, ApiOptions options)
{
    /// <summary>Findings kept, of the days before the watermark; older ones are in /findings, not in figures.</summary>
    public const int MaxFindings = 500_000, FindingDays = 400;

    /// <summary>A picture is made again after so many times the time that it took: at most a twentieth of a core.
    /// </summary>
    private const int RestFactor = 20;

    private const int KeysAtOnce = 50_000, FindingsAtOnce = 10_000;

    private readonly Lock _gate = new();
    private FleetPicture? _picture;
    private Task<FleetPicture>? _making;
    private long _madeAt;
    private TimeSpan _took;

    /// <summary>A picture; the first call waits until there is one.</summary>
    public async ValueTask<FleetPicture> Get(CancellationToken cancel)
    {
        Task<FleetPicture> making;
        lock (_gate)
        {
            if (_picture is { } known && !IsOld(known)) return known;
            making = _making ??= Task.Run(Make);
            if (_picture is { } old && options.Limits.IndexAge > TimeSpan.Zero) return old;
        }
        return await making.WaitAsync(cancel);
    }

    private bool IsOld(FleetPicture picture)
    {
        var age = Stopwatch.GetElapsedTime(_madeAt);
        if (options.Limits.IndexAge == TimeSpan.Zero) return true;
        return age > options.Limits.IndexAge && age > _took * RestFactor && fleet.Status.Position != picture.Position;
    }

    private async Task<FleetPicture> Make()
    {
        var begin = Stopwatch.GetTimestamp();
        try
        {
            var made = await Read();
            lock (_gate)
                (_picture, _making, _madeAt, _took) =
                    (made, null, Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(begin));
            return made;
        }
        catch
        {
            // Whoever waits hears of it; the next one tries again.
            lock (_gate) _making = null;
            throw;
        }
    }

    private async Task<FleetPicture> Read()
    {
        var status = fleet.Status;
        var at = options.Now();
        var releases = await Releases.All(fleet, CancellationToken.None);
        var builder = new PictureBuilder(releases.ToDictionary(r => r.Image, r => r.Name));
        for (ulong after = 0; ;)
        {
            var keys = await fleet.Keys(TwinKind.Meter, after, KeysAtOnce, CancellationToken.None);
            foreach (var key in keys)
                if (await fleet.State(key, AsOf.Now, CancellationToken.None) is { } state)
                    builder.Add(MeterCard.From(key, state));
            if (keys.Count < KeysAtOnce) break;
            after = keys[^1].Id;
        }
        var (findings, all) = await ReadFindings(status);
        return builder.Finish(at, status.Position, findings, all);
    }

    private async Task<(FindingRow[] Findings, bool All)> ReadFindings(FleetStatus status)
    {
        var from = status.Watermark is { } w ? new UnixTime(w.Seconds - FindingDays * 86_400L) : (UnixTime?)null;
        var rows = new List<FindingRow>();
        (UnixTime, string)? after = null;
        while (rows.Count < MaxFindings)
        {
            var page = await fleet.Findings(
                new FindingQuery(null, null, from, null, FindingsAtOnce) { After = after }, CancellationToken.None);
            foreach (var f in page)
                rows.Add(new FindingRow(f.Subject, f.Kind, f.Severity, (int)Math.Floor(f.DetectedAt.Seconds / 86_400d),
                    (float)f.Score));
            if (page.Count < FindingsAtOnce) return ([.. rows], true);
            after = (page[^1].DetectedAt, page[^1].Id);
        }
        return ([.. rows], false);
    }
}

/// <summary>Puts a picture together, one meter after the other in id order.</summary>
internal sealed class PictureBuilder(Dictionary<string, string> imageNames)
{
    private readonly Dictionary<string, string> _texts = [];
    private readonly List<MeterRow> _meters = [];
    private readonly Dictionary<string, GroupTotals> _feeders = [], _cohorts = [], _concentrators = [];
    private readonly Dictionary<(string, string), VersionDays> _versions = [];
    private readonly Dictionary<TwinKey, string> _names = [];

    public void Add(MeterCard card)
    {
        var row = MeterRow.Of(card, Share, NameOf);
        _meters.Add(row);
        Count(_feeders, row.Feeder, row);
        Count(_concentrators, row.Concentrator, row);
        Count(_cohorts, FleetPicture.GroupOf(row, TwinKind.Cohort), row);
        for (var i = 0; i < card.Firmware.Length; i++)
        {
            var key = (row.Model, NameOf(card.Firmware[i]));
            if (!_versions.TryGetValue(key, out var days)) _versions[key] = days = new VersionDays();
            days.Add(card.Firmware[i].Day, 1);
            if (i + 1 < card.Firmware.Length) days.Add(card.Firmware[i + 1].Day, -1);
        }
    }

    private static void Count(Dictionary<string, GroupTotals> groups, string name, MeterRow row)
    {
        if (name.Length > 0) groups[name] = groups.GetValueOrDefault(name).With(row);
    }

    private string Share(string text)
    {
        if (_texts.TryGetValue(text, out var known)) return known;
        return _texts[text] = text;
    }

    /// <summary>An attested image is called as its release; one without a release by its number.</summary>
    private string NameOf(FirmwareStep step) => Share(step.Image.Length == 0 ? step.Version
        : imageNames.TryGetValue(step.Image, out var name) ? name : $"version {step.Number}");

    public FleetPicture Finish(UnixTime at, long position, FindingRow[] findings, bool all)
    {
        foreach (var name in _feeders.Keys) _names[TwinKey.Named(TwinKind.Feeder, name)] = name;
        foreach (var name in _concentrators.Keys) _names[TwinKey.Named(TwinKind.Concentrator, name)] = name;
        foreach (var name in _cohorts.Keys) _names[TwinKey.Named(TwinKind.Cohort, name)] = name;
        return new FleetPicture
        {
            At = at, Position = position, Meters = [.. _meters], Findings = findings, HasAllFindings = all,
            Feeders = _feeders, Cohorts = _cohorts, Concentrators = _concentrators, Versions = _versions,
            Names = _names,
        };
    }
}
