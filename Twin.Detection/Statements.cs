using System.Globalization;
using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// Makes findings of this room, so that detector names, versions and number formats are the same everywhere.
/// </summary>
internal static class Statements
{
    /// <summary>Raised when a detector judges differently; stored with each finding.</summary>
    public const int DetectorVersion = 2;
    public const string Validation = "validation";
    public const string Reading = "reading_model";
    public const string Balance = "feeder_balance";

    /// <summary>Faults and consumer theft have no ATT&amp;CK technique (DESIGN, "Finding").</summary>
    private const string NoTechnique = "";

    public static Finding Make(in DaySubject subject, FindingKind kind, UnixTime from, UnixTime to, double score,
        Severity severity,
        double confidence, string detector, string sentence, Evidence[] evidence)
    {
        var counter = Innocent(subject);
        return new Finding(subject.Key, subject.Name, kind, from, to, to, score, severity,
            subject.Believed == ContextFlags.None ? confidence : confidence * 0.5, detector, DetectorVersion,
            NoTechnique, sentence, evidence, counter);
    }

    /// <summary>Imported causes of the day that would explain a finding without anybody's fault.</summary>
    private static string[] Innocent(in DaySubject subject)
    {
        var (context, doubted) = (subject.Believed, subject.Doubted & subject.Context);
        if (subject.Context == ContextFlags.None) return [];
        var texts = new List<string>(5);
        if ((context & ContextFlags.Outage) != 0) texts.Add("an outage is on record for this time");
        if ((context & ContextFlags.TariffChange) != 0)
            texts.Add("a tariff change is on record: use may have moved in time");
        if ((context & ContextFlags.MoveIn) != 0)
            texts.Add("a move-in is on record: the old profile does not bind the new customer");
        if ((context & ContextFlags.Exchange) != 0) texts.Add("a meter exchange is on record");
        if ((context & ContextFlags.PlannedWork) != 0) texts.Add("planned work is on record");
        if ((doubted & ContextFlags.Outage) != 0)
            texts.Add("an outage is on record for this meter alone, but it read through the day or its feeder had "
                + "supply: the record counts for nothing and may be forged");
        if ((doubted & ContextFlags.PlannedWork) != 0)
            texts.Add("planned work is on record for this meter alone, but no work order: the record counts for "
                + "nothing and may be forged");
        return [.. texts];
    }

    public static string Kwh(double wh) => (wh / 1000).ToString("0.0", CultureInfo.InvariantCulture) + " kWh";
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A fraction as whole percent without sign.</summary>
    public static string Percent(double fraction) =>
        (Math.Abs(fraction) * 100).ToString(Math.Abs(fraction) < 0.0995 ? "0.0" : "0", CultureInfo.InvariantCulture)
            + " %";
}
