using Twin.Detection;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// A member that would explain what its feeder misses: <paramref name="Strength"/> in standard errors, and the energy a
/// day that it would be.
/// </summary>
public sealed record SuspectView(MeterId Meter, double Strength, double WhPerDay, bool IsMoved);

/// <summary>
/// What a feeder's balance said on a day, as it stood when the day closed. <paramref name="IsStatement"/>: false when
/// there is no observer or some member's day is not complete; then the balance says nothing, and its figures are null.
/// <paramref name="MissingWh"/>: energy of the observers beyond the members; <paramref name="Z"/>: today's loss share
/// against the usual one, in robust standard deviations. <paramref name="HadSupply"/>: an observer read the whole day
/// and never zero.
/// </summary>
public sealed record FeederDayView(string Day, bool IsStatement, double? MissingWh, double? LossShare,
    double? UsualLossShare, double? Z, IReadOnlyList<SuspectView> Suspects, bool Outage, bool HadSupply)
{
    /// <param name="body">What the feeder published.</param>
    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static FeederDayView Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r, out var version) != MessageKind.FeederDay) throw r.Bad("this is no feeder day");
        var number = MessageHead.ReadDay(ref r);
        var day = FeederDay.Read(ref r, version);
        if (!r.AtEnd) r.Single();
        var (context, supply) = r.AtEnd ? (ContextFlags.None, false) : ((ContextFlags)r.Byte(), r.Bool());
        double? Said(float value) => day.IsStatement ? value : null;
        var suspects = new List<SuspectView>();
        for (var i = 0; i < day.SuspectCount; i++)
        {
            var s = day.Suspect(i);
            suspects.Add(new SuspectView(s.Meter, s.Strength, s.WhPerDay, s.IsMoved));
        }
        return new FeederDayView(LocalDay.FormatDate(number), day.IsStatement, Said(day.MissingWh),
            Said(day.LossShare), Said(day.UsualLossShare), Said(day.Z), suspects,
            (context & ContextFlags.Outage) != 0, supply);
    }
}

/// <summary>Median over the members, and their spread: 1.4826 times the median absolute deviation.</summary>
public sealed record PeersView(double Median, double Spread);

/// <summary>
/// What a cohort did on a day. <paramref name="Factor"/>: the day's energy over the members' own profiles, where
/// weather and holidays show; <paramref name="Night"/>: night base, W.
/// </summary>
public sealed record CohortDayView(string Day, int Members, int Warm, PeersView Factor, PeersView Night,
    PeersView Roughness, PeersView NightShare, PeersView Top, PeersView Rhythm)
{
    /// <param name="body">What the cohort published.</param>
    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static CohortDayView Read(ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        if (MessageHead.Read(ref r, out var version) != MessageKind.CohortDay) throw r.Bad("this is no cohort day");
        var number = MessageHead.ReadDay(ref r);
        var d = CohortDay.Read(ref r, version);
        static PeersView Of(Peers p) => new(p.Median, p.Spread);
        return new CohortDayView(LocalDay.FormatDate(number), d.Members, d.Warm, Of(d.Factor), Of(d.Night),
            Of(d.Roughness), Of(d.NightShare), Of(d.Top), Of(d.Rhythm));
    }
}
