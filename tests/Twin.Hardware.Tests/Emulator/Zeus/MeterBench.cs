using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>A maker, a head-end and meters of one spec, for tests.</summary>
internal sealed class MeterBench
{
    public const ulong HeadEndTitle = 0x4845_4144_0000_0001;
    public const ulong KeySeed = 77;

    /// <summary>Midnight UTC.</summary>
    public static readonly UnixTime Start = new(1_788_220_800);

    public static readonly SigningKey Maker = new(NistCurve.P256, 1, "maker");
    public static readonly SigningKey HeadEndKey = new(NistCurve.P256, 1, "head-end");
    public static readonly SiliconSupplier Supplier = new("Silicon Ltd", 5);
    public static readonly ManufacturingStation Station =
        new("station 7", "Plant A", "L26-08", new SigningKey(NistCurve.P256, 1, "station 7"));

    public static readonly FirmwareImage Kernel = Image(FirmwarePart.Cak, 1, "cak 1");
    public static readonly FirmwareImage MetrologyImage = Image(FirmwarePart.Metrology, 1, "metrology 1");
    public static readonly FirmwareImage Application1 = Image(FirmwarePart.Application, 1, "application 1");
    public static readonly FirmwareImage Application2 = Image(FirmwarePart.Application, 2, "application 2");

    public MeterBench(Func<MeterSpec, MeterSpec>? change = null)
    {
        Shelf = new FirmwareShelf();
        var spec = new MeterSpec
        {
            Chip = new ChipSpec { Model = "MAX71637", Lot = "L26-08", Anchors = [Maker.PublicKey] },
            Images = [Kernel, MetrologyImage, Application1],
            HeadEndKey = HeadEndKey.PublicKey, HeadEndTitle = HeadEndTitle, Shelf = Shelf,
        };
        Spec = change?.Invoke(spec) ?? spec;
        HeadEnd = new HeadEndDesk(HeadEndTitle, HeadEndKey, KeySeed, Spec.Suite);
    }

    public MeterSpec Spec { get; }
    public FirmwareShelf Shelf { get; }
    public HeadEndDesk HeadEnd { get; }

    public static ulong TitleOf(int number) => 0x5A45_5500_0000_0000UL + (ulong)number;

    public static FirmwareImage Image(FirmwarePart part, uint version, string name, SigningKey? signer = null)
    {
        var body = new byte[3 * Flash.PageBytes + 100];
        var draw = SplitMix64.For(version, name);
        for (var i = 0; i < body.Length; i += 8)
            BitConverter.TryWriteBytes(body.AsSpan(i), draw.NextUInt64());
        if (part == FirmwarePart.Cak) body = body[..2_000];
        return FirmwareImage.Build(part, "MAX71637", name, version, 1, body, signer ?? Maker);
    }

    public LifeCycleLine Line(int number = 1, ulong seed = 42) =>
        new(Spec, TitleOf(number), $"ZT{number:D6}", seed + (ulong)number, KeySeed,
            new UnixTime(Start.Seconds - 3_600));

    public static InstallerNote Note => new("J. Fitter", "GridFit", "UP-1", default, -1, -1);

    /// <summary>A meter in operation at <see cref="Start"/>.</summary>
    public ZeusMeter Meter(int number = 1, ulong seed = 42)
    {
        var line = Line(number, seed);
        line.RunToOperation(Supplier, Station, Calibration.Nominal, Note, new UnixTime(Start.Seconds - 3_600));
        return line.Meter;
    }

    public PortCredential Tool(ZeusMeter meter) =>
        PortCredential.Key(MeterKeys.For(KeySeed, meter.SystemTitle, Spec.Suite).Optical, 0x544F_4F4C_0000_0001);

    /// <summary>Sends a command.</summary>
    public ReceiveResult Send(ZeusMeter meter, byte[] request, UnixTime now, string order = "") =>
        meter.Receive(HeadEnd.Frame(meter.Id, request, order), now);

    /// <summary>The metrology key of a meter, as the utility has it.</summary>
    public SealKeys Seals(ZeusMeter meter)
    {
        var seals = new SealKeys();
        seals.Set(meter.Id, MeterKeys.For(KeySeed, meter.SystemTitle, Spec.Suite).Metrology);
        return seals;
    }

    /// <summary>Everything that the meter pushes now, as inputs and load profile rows.</summary>
    public Heard Take(ZeusMeter meter, UnixTime now)
    {
        var heard = new Heard();
        using var seals = Seals(meter);
        foreach (var frame in meter.Drain(now))
        {
            var body = HeadEnd.Open(meter.Id, frame);
            Assert.NotNull(body);
            heard.Counters.Add(CounterOf(frame));
            if (LoadProfilePush.Matches(body)) heard.AddProfile(body, meter.Id, seals);
            else Assert.True(DeviceReport.TryRead(body, meter.Id, now, heard.Inputs, out var error), error.Describe());
        }
        return heard;
    }

    public static uint CounterOf(byte[] frame)
    {
        Assert.True(TcpWrapper.TryRead(frame, out var wrapped, out _));
        Assert.True(Protected.TryRead(wrapped.Apdu, default, out var message, out _));
        return message.InvocationCounter;
    }

    /// <summary>Steps half-hours with this flow.</summary>
    public static UnixTime Run(ZeusMeter meter, UnixTime from, int intervals, long wh = 250)
    {
        for (var i = 0; i < intervals; i++)
        {
            from = new UnixTime(from.Seconds + 1_800);
            meter.Advance(from, new SupplyInterval(wh, 0));
        }
        return from;
    }
}

/// <summary>What a meter said.</summary>
internal sealed class Heard
{
    public List<Input> Inputs { get; } = [];
    public List<ProfileRow> Rows { get; } = [];

    /// <summary>How each load profile stands to its seal.</summary>
    public List<SealVerdict> Seals { get; } = [];
    public List<uint> Counters { get; } = [];

    public IEnumerable<T> Of<T>() where T : Input => Inputs.OfType<T>();

    public void AddProfile(byte[] body, MeterId meter, SealKeys seals)
    {
        Assert.True(LoadProfilePush.TryRead(body, out var push, out _));
        var rows = push.GetRows();
        var first = Rows.Count;
        while (rows.TryNext(out var row)) Rows.Add(row);
        Assert.False(rows.Error.IsError);
        Seals.Add(seals.Judge(meter, Rows.ToArray().AsSpan(first), push.Seal));
    }

    /// <summary>Start and energy of each interval between neighbouring rows.</summary>
    public IEnumerable<(long Start, long Wh)> Intervals(int seconds = 1_800)
    {
        for (var i = 1; i < Rows.Count; i++)
            if (Rows[i].End.Seconds - Rows[i - 1].End.Seconds == seconds)
                yield return (Rows[i - 1].End.Seconds, Rows[i].ImportWattHours - Rows[i - 1].ImportWattHours);
    }
}
