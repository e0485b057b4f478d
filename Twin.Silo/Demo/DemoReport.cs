using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Silo.Attacks;
using Twin.Silo.Emulation;

namespace Twin.Silo.Demo;

/// <summary>
/// The twins' findings held against the scene's truth. A meter that has no part in an attack is a bystander; on an
/// innocent change a finding up to a note (<see cref="AttackScore.Note"/>) still leaves it alone.
/// </summary>
internal sealed class DemoReport
{
    /// <summary>Findings shown of one attack; the rest is counted.</summary>
    private const int MaxShown = 3;

    private readonly DemoScene _scene;
    private readonly UnixTime _at;
    private readonly IReadOnlyCollection<Finding> _findings;
    private readonly IReadOnlyDictionary<string, UnixTime> _first;

    /// <summary>Of the disconnections that the employee's account asked for, those that went out.</summary>
    private readonly int _ordered;

    public DemoReport(DemoScene scene, UnixTime at, IReadOnlyCollection<Finding> findings,
        IReadOnlyDictionary<string, UnixTime> first, int ordered)
    {
        (_scene, _at, _findings, _first, _ordered) = (scene, at, findings, first, ordered);
        var (series, release) = (Keys(scene.SeriesBy(at)), Keys(scene.Release));
        Series = Of(f => f.Kind == FindingKind.ContractorSeries
            && f.SubjectName is DemoScene.Tool or DemoScene.Contractor);
        Release = Of(f => f.Kind == FindingKind.FirmwareBehaviour && release.Contains(f.Subject));
        var (thief, feeder) = (scene.KeyOf(scene.Thief), scene.FeederOf(scene.Thief));
        Theft = Of(f => f.Subject == thief && f.DetectedAt.Seconds >= scene.Begin(DemoScene.TheftDay).Seconds
            || f.Subject == feeder && f.From.Seconds >= scene.Begin(DemoScene.TheftDay).Seconds);
        Commands = Of(f => f.Kind is FindingKind.CommandsQuarantined or FindingKind.CommandVolume
            && f.From.Seconds >= scene.Begin(DemoScene.CommandDay).Seconds);
        LookAlikes = [.. scene.LookAlikesBy(at).Select(l => l.Meter)];
        var part = series.Union(release).Union(LookAlikes).Append(thief).ToHashSet();
        Bystanders = Of(f => !part.Contains(f.Subject) && !Series.Contains(f) && !Theft.Contains(f)
            && !Commands.Contains(f) && f.Subject.Kind != TwinKind.Access);
    }

    /// <summary>What meets each attack, in order of detection.</summary>
    public IReadOnlyList<Finding> Series { get; }

    /// <inheritdoc cref="Series"/>
    public IReadOnlyList<Finding> Release { get; }

    /// <inheritdoc cref="Series"/>
    public IReadOnlyList<Finding> Theft { get; }

    /// <inheritdoc cref="Series"/>
    public IReadOnlyList<Finding> Commands { get; }

    /// <summary>Meters with an innocent change that has begun.</summary>
    public IReadOnlyList<TwinKey> LookAlikes { get; }

    /// <summary>Findings on whoever has no part in anything.</summary>
    public IReadOnlyList<Finding> Bystanders { get; }

    public int LeftAlone => LookAlikes.Count(m => !_findings.Any(f => f.Subject == m
        && f.Severity > AttackScore.Note));

    /// <summary>Meters of the release that were found.</summary>
    public int ReleaseMeters => Release.Select(f => f.Subject).Distinct().Count();

    private IReadOnlyList<Finding> Of(Func<Finding, bool> which) =>
        [.. _findings.Where(which).OrderBy(f => f.DetectedAt.Seconds).ThenBy(f => f.Id, StringComparer.Ordinal)];

    private HashSet<TwinKey> Keys(IEnumerable<int> meters) => [.. meters.Select(_scene.KeyOf)];

    /// <summary>For a terminal: what was found first, then the two columns of each attack, then what was not.</summary>
    public string Render(FleetRunTotals totals, CryptographicChecks series, CryptographicChecks release)
    {
        var text = new StringBuilder();
        AddTotals(text, totals);
        AddVerdicts(text);
        AddColumns(text, "L11", series, Series);
        AddColumns(text, "L12", release, Release);
        text.Append(CultureInfo.InvariantCulture, $"\nThe theft: on day {DemoScene.TheftDay + 1} "
            + $"{_scene.NameOf(_scene.Thief)} is opened, and nine tenths of what is used there bypass it.\n");
        foreach (var f in Theft.Take(MaxShown)) AddFinding(text, f);
        if (Theft.Count == 0) text.Append("  nothing is said about it yet\n");
        return text.ToString();
    }

    private void AddTotals(StringBuilder text, FleetRunTotals t) => text.Append(CultureInfo.InvariantCulture,
        $"{t.Frames:n0} frames ({t.RejectedFrames:n0} rejected), {t.Readings:n0} readings, {t.Quotes:n0} quotes "
            + $"verified, {_findings.Count:n0} findings\n\n");

    private void AddVerdicts(StringBuilder text)
    {
        var sessions = _scene.SeriesBy(_at).Length;
        Line(text, Series.Count > 0, $"contractor's series      {When(Series)} ({sessions} meters by now)");
        Line(text, Release.Count > 0, $"signed firmware          {When(Release)}, on {ReleaseMeters} of "
            + $"{_scene.Release.Length} meters");
        var metered = Of(f => Theft.Contains(f) && f.Kind <= FindingKind.BalanceSuspect);
        Line(text, Theft.Count > 0, $"theft                    {When(Theft)}; from energies {When(metered)}");
        Line(text, Commands.Count > 0 && _ordered == 0, string.Create(CultureInfo.InvariantCulture,
            $"mass disconnection       {When(Commands)}; {_scene.Disconnections:n0} asked for, {_ordered} went out"));
        Line(text, LeftAlone == LookAlikes.Count, $"innocent changes         {LeftAlone} of {LookAlikes.Count} left "
            + $"alone");
        var honest = Keys(_scene.HonestRelease);
        var blamed = _findings.Count(f => honest.Contains(f.Subject)
            && f.Kind > FindingKind.ContextForSingleMeter && f.Severity > AttackScore.Note);
        Line(text, blamed == 0, $"honest roll-out          {_scene.HonestRelease.Length} meters, {blamed} security "
            + $"findings above a note");
        var counts = string.Join(", ", Enum.GetValues<Severity>().Reverse()
            .Select(s => string.Create(CultureInfo.InvariantCulture,
                $"{Bystanders.Count(f => f.Severity == s)} {s.ToString().ToLowerInvariant()}")));
        Line(text, !Bystanders.Any(f => f.Severity >= AttackScore.Grave),
            $"bystanders' findings     {counts}{Kinds()}");
    }

    private string Kinds() => Bystanders.Count == 0 ? "" : " (" + string.Join(", ", Bystanders.GroupBy(f => f.Kind)
        .OrderByDescending(g => g.Count()).ThenBy(g => g.Key)
        .Select(g => $"{g.Count()} {Finding.NameOf(g.Key)}")) + ")";

    private static void Line(StringBuilder text, bool good, string line) =>
        text.Append(good ? "✓ " : "✗ ").Append(line).Append('\n');

    private string When(IReadOnlyList<Finding> findings) => findings.Count == 0 ? "not found yet"
        : string.Create(CultureInfo.InvariantCulture, $"found on day {DayOf(findings.Min(FirstSeconds))}");

    private long FirstSeconds(Finding f) => _first.GetValueOrDefault(f.Id, f.DetectedAt).Seconds;

    private long DayOf(long seconds) => 1 + (seconds - _scene.Begin(0).Seconds) / 86_400;

    private static void AddColumns(StringBuilder text, string id, CryptographicChecks checks,
        IReadOnlyCollection<Finding> findings)
    {
        var attack = Catalogue.Find(id)!;
        text.Append(CultureInfo.InvariantCulture, $"\n{attack.Name}. {attack.Description}\n\n")
            .Append(TwoColumns.Of(checks, findings, "nothing yet", MaxShown));
    }

    private static void AddFinding(StringBuilder text, Finding f) => text.Append(CultureInfo.InvariantCulture,
        $"  {f.DetectedAt}  {f.Severity.ToString().ToLowerInvariant(),-8} {f.SubjectName}: {f.Sentence}\n");
}
