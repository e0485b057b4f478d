using System.Globalization;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Emulator;

namespace Twin.Silo.Demo;

/// <summary>
/// How one kind of label fared. Days run from the onset's midnight to the first detection; null when none was found.
/// </summary>
public sealed record KindScore(string Kind, string Nature, int PutIn, int Found, int FeederOnly, double? MedianDays);

/// <summary>
/// Findings held against the truth of a generated world. <paramref name="Found"/>: a finding on the meter itself that
/// touches the anomaly. <paramref name="FeederOnly"/>: not found, but a finding on its feeder touches it: narrowed down
/// to some twenty homes. <paramref name="FalseAlarms"/>: findings on ordinary meters, and on labelled ones that ended
/// before the onset. <paramref name="FalseFeeders"/>: feeders with a finding that touches no anomaly of a member.
/// </summary>
public sealed record Scoreboard(int Meters, int Anomalies, int Found, int FeederOnly, double? MedianDaysToDetection,
    int LookAlikes, int LeftAlone, int FalseAlarms, int FalseAlarmMeters, int FalseFeeders,
    IReadOnlyList<KindScore> Kinds)
{
    /// <summary>Counts findings of at least that severity; what is only worth a note accuses nobody.</summary>
    public static Scoreboard Of(World world, IEnumerable<Finding> findings, Severity atLeast)
    {
        var bySubject = findings
            .Where(f => f.Severity >= atLeast && f.Subject.Kind is TwinKind.Meter or TwinKind.Feeder)
            .ToLookup(f => f.SubjectName, StringComparer.Ordinal);
        var outcomes = world.Labels.Select(l => Judge(world, l, bySubject)).ToList();
        var labelled = world.Labels.ToDictionary(l => l.Meter, StringComparer.Ordinal);
        var falseAlarms = world.Fleet.Where(m => m.Role == MeterRole.Customer)
            .Select(m => bySubject[m.Name].Count(f =>
                !labelled.TryGetValue(m.Name, out var l) || f.To.Seconds <= Onset(world, l)))
            .Where(n => n > 0).ToList();
        var anomalies = outcomes.Where(o => o.Label.Nature != LabelNature.LookAlike).ToList();
        var lookAlikes = outcomes.Where(o => o.Label.Nature == LabelNature.LookAlike).ToList();
        return new Scoreboard(world.Options.Meters, anomalies.Count, anomalies.Count(o => o.Days is not null),
            anomalies.Count(o => o.FeederOnly), Median(anomalies), lookAlikes.Count,
            lookAlikes.Count(o => o.Days is null),
            falseAlarms.Sum(), falseAlarms.Count, FalseFeedersOf(world, bySubject),
            [.. outcomes.GroupBy(o => o.Label.Kind).OrderBy(g => g.Key).Select(OfKind)]);
    }

    private static KindScore OfKind(IGrouping<LabelKind, Outcome> kind)
    {
        var label = kind.First().Label;
        return new KindScore(label.KindName, label.NatureName, kind.Count(), kind.Count(o => o.Days is not null),
            kind.Count(o => o.FeederOnly), Median(kind));
    }

    private sealed record Outcome(Label Label, double? Days, bool FeederOnly);

    private static Outcome Judge(World world, Label label, ILookup<string, Finding> bySubject)
    {
        var own = bySubject[label.Meter].Where(f => Touches(world, label, f)).ToList();
        double? days = own.Count == 0 ? null : own.Min(f => (f.DetectedAt.Seconds - Onset(world, label)) / 86_400.0);
        var feederOnly = days is null && label.Nature != LabelNature.LookAlike
            && bySubject[label.Feeder].Any(f => Touches(world, label, f));
        return new Outcome(label, days, feederOnly);
    }

    /// <summary>
    /// What an innocent or mended change leaves behind (a level that shifts back) belongs to the label too.
    /// </summary>
    private static bool Touches(World world, Label label, Finding finding) =>
        finding.To.Seconds > Onset(world, label) && finding.DetectedAt.Seconds >= Onset(world, label);

    private static long Onset(World world, Label label) => world.LocalDay(label.FromDay).StartMinute * 60;

    private static int FalseFeedersOf(World world, ILookup<string, Finding> bySubject)
    {
        var anomalies = world.Labels.Where(l => l.Nature != LabelNature.LookAlike)
            .ToLookup(l => l.Feeder, StringComparer.Ordinal);
        return world.Feeders
            .Count(f => bySubject[f.Name].Any(finding => !anomalies[f.Name].Any(l => Touches(world, l, finding))));
    }

    private static double? Median(IEnumerable<Outcome> outcomes)
    {
        double[] days = [.. outcomes.Where(o => o.Days is not null).Select(o => o.Days!.Value).Order()];
        return days.Length == 0 ? null : (days[(days.Length - 1) / 2] + days[days.Length / 2]) / 2;
    }

    /// <summary>The table for a terminal; the record itself is what <c>--json</c> prints.</summary>
    public string Render()
    {
        var text = new StringBuilder();
        Line(text, $"{"",-15} {"nature",-11} {"put in",6} {"found",6} {"feeder only",12} {"median days",12}");
        foreach (var k in Kinds)
        {
            var isInnocent = k.Nature == "look_alike";
            object feederOnly = isInnocent ? "" : k.FeederOnly;
            Line(text, $"{k.Kind,-15} {k.Nature,-11} {k.PutIn,6} {k.Found,6} {feederOnly,12} {Days(k.MedianDays),12}");
        }
        Line(text, $"anomalies       {Anomalies} put in, {Found} found, {FeederOnly} more narrowed down to a feeder");
        Line(text, $"detection       {Days(MedianDaysToDetection)} days in the median");
        Line(text, $"look-alikes     {LeftAlone} of {LookAlikes} left alone");
        Line(text, $"false alarms    {FalseAlarms} findings on {FalseAlarmMeters} of {Meters} meters");
        Line(text, $"                {FalseFeeders} feeders without cause");
        return text.ToString();
    }

    private static void Line(StringBuilder to, FormattableString line) =>
        to.Append(line.ToString(CultureInfo.InvariantCulture).TrimEnd()).Append('\n');

    private static string Days(double? days) =>
        days is null ? "-" : days.Value.ToString("0.0", CultureInfo.InvariantCulture);
}
