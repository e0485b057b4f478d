using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>
/// Room in the budgets for one response, asked for by its case before anything goes out. It travels from owner to
/// owner: the concentrator where isolation needs it (<paramref name="Behind"/> comes back), the guard of the feeder, of
/// the region, of the fleet, and back to the case. The first that refuses sends it back with the reason; the case then
/// releases what the owners before had granted.
/// </summary>
/// <param name="Case">The case that asks.</param>
/// <param name="Response">Number of the response in the case.</param>
/// <param name="Subject">The meter, concentrator or fleet it is about.</param>
/// <param name="Rung">What is to be done.</param>
/// <param name="Now">The sweep's time.</param>
/// <param name="Watts">Load that it moves, W, at least 0: what is not known counts as the policy's figure.</param>
/// <param name="Feeder">By name; empty: no feeder's guard is asked.</param>
/// <param name="Region">By name; empty counts as a region of its own.</param>
/// <param name="Account">Key of the person or service that asked; empty for the policy itself.</param>
/// <param name="Limits">Budgets in force.</param>
/// <param name="Approved">True when persons have said process: the quarantine's count is not asked again.</param>
public sealed record Reservation(TwinKey Case, int Response, TwinKey Subject, ResponseRung Rung, UnixTime Now,
    long Watts, string Feeder, string Region, string Account, GuardLimits Limits, bool Approved)
{
    public const byte Version = 1;

    /// <summary>Meters that are read through the target, when its concentrator knows.</summary>
    public int Behind { get; init; }

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        CaseFacts.WriteKey(to, Case);
        to.VarUInt((ulong)Response);
        CaseFacts.WriteKey(to, Subject);
        to.Byte((byte)Rung);
        to.VarInt(Now.Seconds);
        to.VarUInt((ulong)Watts);
        foreach (var text in (ReadOnlySpan<string>)[Feeder, Region, Account]) to.Text(text);
        Limits.Write(to);
        to.Bool(Approved);
        to.VarUInt((ulong)Behind);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static Reservation Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a reservation has version {version}, this MeterTwin knows {Version}");
        var (key, response, subject) = (CaseFacts.ReadKey(ref r), r.Count(int.MaxValue), CaseFacts.ReadKey(ref r));
        var (rung, now, watts) = ((ResponseRung)r.Byte(0, (int)ResponseRung.Reconnect), Input.ReadTime(ref r),
            checked((long)r.VarUInt()));
        return new Reservation(key, response, subject, rung, now, watts, r.Text(), r.Text(), r.Text(),
            GuardLimits.Read(ref r), r.Bool())
        { Behind = r.Count(int.MaxValue) };
    }

    /// <summary>The guards on its way, in order.</summary>
    public TwinKey[] Way => Feeder.Length > 0 ? [GuardKey.OfFeeder(Feeder), GuardKey.OfRegion(Region), GuardKey.Fleet]
        : [GuardKey.OfRegion(Region), GuardKey.Fleet];
}

/// <summary>How a reservation came back. <paramref name="By"/>: the owner that refused; empty text: granted.</summary>
public sealed record ReservationAnswer(int Response, bool Granted, TwinKey By, string Reason, int Behind)
{
    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)Response);
        to.Bool(Granted);
        CaseFacts.WriteKey(to, By);
        to.Text(Reason);
        to.VarUInt((ulong)Behind);
    }

    public static ReservationAnswer Read(ref ByteReader r) => new(r.Count(int.MaxValue), r.Bool(),
        CaseFacts.ReadKey(ref r), r.Text(), r.Count(int.MaxValue));
}

/// <summary>Keys of the guards.</summary>
public static class GuardKey
{
    public static TwinKey OfFeeder(string feeder) => TwinKey.Named(TwinKind.Guard, "feeder/" + feeder);
    public static TwinKey OfRegion(string region) => TwinKey.Named(TwinKind.Guard, "region/" + region);
    public static TwinKey Fleet => TwinKey.Named(TwinKind.Guard, "fleet");
}
