using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// A meter that counts energy which its feeder never delivered: the customer is the victim, of interference or of a
/// broken sensor. 2 bytes a meter.
/// </summary>
/// <remarks>
/// Static meters have been seen to read 276 % to 582 % too much on distorted currents (Leferink, Keyer and Melentjev
/// 2016). No consumption explains a feeder whose members report more than its observer passed on.
/// </remarks>
public struct Overcount
{
    /// <summary>Days in a row that it takes.</summary>
    public const int Days = 4;

    /// <summary>Least excess over what profile and cohort let expect, as a share of it.</summary>
    private const double LeastExcess = 0.3;

    /// <summary>
    /// Least excess on the days behind the first: the profile learns from each day that it judges, and faster from one
    /// far above it, so that the same excess looks smaller from day to day.
    /// </summary>
    private const double LeastOfRun = 0.15;

    /// <summary>
    /// The energy that was not delivered, over the meter's excess: near 1 for the meter that makes it. A neighbour that
    /// uses more by chance explains a small part only.
    /// </summary>
    private const double LeastMatch = 0.6, MostMatch = 1.6;

    /// <summary>Days after a statement for which it is not said again.</summary>
    private const byte QuietDays = 60;

    private byte _hits, _quiet;

    /// <summary>Takes a judged day; states the finding on the day that makes <see cref="Days"/>.</summary>
    public void Take(in DayFeatures day, in DaySubject subject, in CohortDay? cohort, in FeederDay? feeder,
        IFindingSink findings)
    {
        if (_quiet > 0) _quiet--;
        if (!day.Has(DayMarks.Usable | DayMarks.Warm) || day.ExpectedWh <= 0 || feeder is not { IsStatement: true } f)
            return;
        var factor = cohort is { Warm: >= CohortDay.FewestMembers, Factor.Median: > 0 } c ? c.Factor.Median : 1;
        double expected = day.ExpectedWh * factor, excess = day.TotalWh - expected;
        // What the members reported follows from the missing energy and its share.
        var reported = f.LossShare != 0 ? f.MissingWh / f.LossShare : 0;
        var undelivered = (f.UsualLossShare - f.LossShare) * reported;
        var least = (_hits == 0 ? LeastExcess : LeastOfRun) * expected;
        var hit = f.LossShare < 0 && excess >= least && undelivered >= LeastMatch * excess
            && undelivered <= MostMatch * excess;
        _hits = hit ? (byte)Math.Min(byte.MaxValue, _hits + 1) : (byte)0;
        if (_hits < Days || _quiet > 0) return;
        _quiet = QuietDays;
        findings.Add(Statement(day, subject, f, expected, undelivered));
    }

    private static Finding Statement(in DayFeatures day, in DaySubject subject, in FeederDay feeder, double expected,
        double undelivered)
    {
        var from = new UnixTime(day.Start.Seconds - (Days - 1) * 86_400L);
        var finding = Statements.Make(subject, FindingKind.MetrologySuspect, from, day.End,
            Math.Min(10, 1 + day.TotalWh / expected), Severity.Medium, 0.85, Statements.Balance,
            $"Since {LocalDay.FormatDate(day.Day - Days + 1)} the meter counts "
                + $"{Statements.Percent(day.TotalWh / expected - 1)} more than its profile and its cohort let "
                + $"expect ({Statements.Kwh(day.TotalWh)} on the last day, "
                + $"{Statements.Kwh(expected)} expected), and its feeder never delivered "
                + $"{Statements.Kwh(undelivered)} of it: the sensor reads what did not flow. The customer may be "
                + "billed too much.",
            [
                new Evidence("energy", day.TotalWh, expected, 0.5, "Wh"),
                new Evidence("undelivered_energy", undelivered, 0, 0.5, "Wh"),
                new Evidence("loss_share", feeder.LossShare, feeder.UsualLossShare, 0, ""),
            ]);
        return finding;
    }

    public readonly void Write(ByteWriter to)
    {
        to.Byte(_hits);
        to.Byte(_quiet);
    }

    public static Overcount Read(ref ByteReader from) => new() { _hits = from.Byte(), _quiet = from.Byte() };
}
