using System.CommandLine;
using Twin.Hardware;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Dlms;

namespace Twin.Silo.Commands;

/// <summary>Flags of the verbs that take frames and security records.</summary>
internal sealed class FrameFlags
{
    public sealed record Given(string[] Security, string? Anchors, string? Keys, string? Meter, string? Zone,
        int? ListEnergyWh);

    public Option<string[]> Security { get; } = new("--security")
    {
        Description = "security records, CSV or NDJSON with a column kind: releases, keys, orders, sessions, …",
    };

    public Option<string?> Anchors { get; } = new("--trust-anchors")
    {
        Description = "PEM file that the certificates of security records are held against",
    };

    public Option<string?> Keys { get; } = new("--keys")
    {
        Description = "key file that opens ciphered frames (default: they are rejected)",
    };

    public Option<string?> Meter { get; } = new("--meter") { Description = "meter of frames that do not name theirs" };

    public Option<int?> ListEnergyWh { get; } = new("--list-energy-wh")
    {
        Description = "Wh that a count of energy stands for in lists that tell no unit, 1 or 10 (default: left out)",
    };

    public Option<string?> Zone { get; } = new("--zone")
    {
        Description = "zone of frame clocks that tell no distance to UTC (default: UTC)",
    };

    /// <exception cref="ArgumentException">The zone is none.</exception>
    public Given Read(ParseResult p)
    {
        var zone = p.GetValue(Zone);
        if (zone is not null && !ZoneRules.TryGet(zone, out _))
            throw new ArgumentException($"--zone is '{zone}'; it must be an IANA name such as Europe/Oslo or an offset "
                + "such as +01:00.");
        return new Given(p.GetValue(Security)!, p.GetValue(Anchors), p.GetValue(Keys), p.GetValue(Meter), zone,
            p.GetValue(ListEnergyWh) is { } wh ? Counted(wh) : null);
    }

    private static int Counted(int wattHours) => wattHours is 1 or 10 ? wattHours
        : throw new ArgumentException($"--list-energy-wh is {wattHours}; it must be 1 or 10.");
}

/// <summary>The keys of a key file, ready for use, or none.</summary>
internal sealed class FrameKeyring : IDisposable
{
    private readonly IDisposable? _keys;
    private readonly SealKeys? _seals;
    private readonly int _meters;

    private FrameKeyring(FrameIntake intake, IDisposable? keys, SealKeys? seals, int meters) =>
        (Intake, _keys, _seals, _meters) = (intake, keys, seals, meters);

    public static FrameKeyring Keyless { get; } = new(FrameIntake.Keyless, null, null, 0);

    public FrameIntake Intake { get; }

    /// <exception cref="KeyFileException">The file cannot be opened.</exception>
    public static FrameKeyring Open(string path)
    {
        using var file = KeyFile.Load(path, KeyPassphrase.Find(Environment.GetEnvironmentVariable));
        var (keys, seals, meters) = (file.ToFrameKeys(), file.ToSealKeys(), file.Meters());
        return new FrameKeyring(new FrameIntake(keys, meters, seals), keys, seals, meters.Count);
    }

    public string Describe() => _keys is null ? "keyless" : $"keys of {_meters} meters";

    public void Dispose()
    {
        _keys?.Dispose();
        _seals?.Dispose();
    }
}
