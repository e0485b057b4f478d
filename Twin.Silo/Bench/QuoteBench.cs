using System.Diagnostics;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>Emulated meters made, their quotes made and verified: bare, and through the door of their twins.</summary>
internal sealed class QuoteBench(BenchRun bench, CancellationToken cancel)
{
    private const int Meters = 60, WarmUp = 6, QuotesPerMeter = 10;
    private const ulong Seed = 23, TitleBase = 0x5A45_5542_0000_0000;

    /// <summary>2026-03-02T00:00:00Z.</summary>
    private static readonly UnixTime Start = new(20_514L * 86_400);

    private static readonly SigningKey Maker = new(NistCurve.P256, Seed, "maker");
    private static readonly SigningKey HeadEnd = new(NistCurve.P256, Seed, "head-end");
    private static readonly SiliconSupplier Supplier = new("Silicon Ltd", Seed);
    private static readonly ManufacturingStation Station =
        new("station 1", "Plant A", "L26-09", new SigningKey(NistCurve.P256, Seed, "station 1"));

    private sealed record Made(ZeusMeter Meter, IReadOnlyList<Input> Registry)
    {
        public List<(UInt128 Nonce, UnixTime At, byte[] Bytes)> Quotes { get; } = [];
    }

    public async Task Run(string path)
    {
        bench.Say("emulated meters");
        var spec = Spec();
        for (var i = 0; i < WarmUp; i++) Make(spec, Meters + i);
        var watch = Stopwatch.StartNew();
        var used = Environment.CpuUsage.TotalTime;
        var made = Enumerable.Range(0, Meters).Select(i => Make(spec, i)).ToArray();
        Tell("emulated ZEUS meters created", "meters/s", Meters, watch, used,
            $"{Meters} meters, blank silicon to operation, keys made on the chip, three images booted, one thread");
        cancel.ThrowIfCancellationRequested();
        watch.Restart();
        used = Environment.CpuUsage.TotalTime;
        foreach (var m in made) Quote(m);
        var count = made.Sum(m => m.Quotes.Count);
        Tell("quotes made by emulated meters", "quotes/s", count, watch, used,
            $"{count} quotes, flash scrubbed, RFC 6979 on P-256, one thread");
        VerifyBare(made, count);
        await VerifyAtTheDoor(made, count, path);
    }

    private static MeterSpec Spec()
    {
        FirmwareImage Image(FirmwarePart part, int bytes)
        {
            var body = new byte[bytes];
            var draw = SplitMix64.For(Seed, part.ToString());
            foreach (ref var b in body.AsSpan()) b = (byte)draw.Next(256);
            return FirmwareImage.Build(part, "MAX71637", part.ToString(), 1, 1, body, Maker);
        }
        return new MeterSpec
        {
            Chip = new ChipSpec { Model = "MAX71637", Lot = "L26-09", Anchors = [Maker.PublicKey] },
            Images = [Image(FirmwarePart.Cak, 2_000), Image(FirmwarePart.Metrology, 3 * Flash.PageBytes),
                Image(FirmwarePart.Application, 3 * Flash.PageBytes)],
            HeadEndKey = HeadEnd.PublicKey, HeadEndTitle = TitleBase - 1,
        };
    }

    private static Made Make(MeterSpec spec, int number)
    {
        var line = new LifeCycleLine(spec, TitleBase + (ulong)number, $"Z{number:D6}", Seed + (ulong)number, Seed,
            new UnixTime(Start.Seconds - 60));
        var note = new InstallerNote("J. Fitter", "GridFit", $"UP-{number}", default, -1, -1);
        var heard = line.RunToOperation(Supplier, Station, Calibration.Nominal, note, new UnixTime(Start.Seconds - 30));
        return new Made(line.Meter, heard);
    }

    /// <summary>A challenge a day, each answered with what is new in the log.</summary>
    private static void Quote(Made made)
    {
        var since = 0u;
        for (var i = 0; i < QuotesPerMeter; i++)
        {
            var nonce = new UInt128(made.Meter.SystemTitle, (ulong)i);
            var at = new UnixTime(Start.Seconds + i * 86_400L);
            made.Meter.Tick(at);
            var bytes = made.Meter.Chip.Quote(nonce, since, made.Meter.SwitchState, at)
                ?? throw new InvalidOperationException($"{made.Meter} made no quote.");
            made.Quotes.Add((nonce, at, bytes));
            since = made.Meter.Chip.Cak.LastSeq;
        }
    }

    private void VerifyBare(Made[] made, int count)
    {
        bench.Say("quotes: verifying");
        var watch = Stopwatch.StartNew();
        var used = Environment.CpuUsage.TotalTime;
        foreach (var m in made)
        {
            ChainPosition? accepted = null;
            foreach (var (nonce, _, bytes) in m.Quotes)
            {
                var verdict = QuoteVerifier.Verify(bytes, m.Meter.Chip.Vault.SigningKey!, new QuoteExpectation
                {
                    SystemTitle = m.Meter.SystemTitle, Nonce = nonce, Accepted = accepted,
                });
                if (!verdict.IsClean)
                    throw new InvalidOperationException($"A quote of {m.Meter} is refused: {verdict.Violations[0]}.");
                accepted = verdict.Next;
            }
        }
        Tell("quotes verified, signature and chain", "quotes/s", count, watch, used,
            $"{count} quotes, P-256, one thread");
    }

    private async Task VerifyAtTheDoor(Made[] made, int count, string path)
    {
        await using var fleet = EmbeddedFleet.Open(BenchRun.Options(path), new TwinFactory(), null);
        var registry = new InputBatch("bench");
        foreach (var m in made)
            foreach (var input in m.Registry) registry.Add(input);
        await fleet.Append(registry, cancel);
        var batch = new InputBatch("bench");
        for (var i = 0; i < QuotesPerMeter; i++)
            foreach (var m in made)
            {
                var (nonce, at, bytes) = m.Quotes[i];
                batch.Add(new NonceIssued(m.Meter.Id.Twin, at, nonce));
                batch.Add(new AttestationQuote(m.Meter.Id.Twin, new UnixTime(at.Seconds + 1), bytes,
                    SignatureVerdict.Unchecked));
            }
        var watch = Stopwatch.StartNew();
        var used = Environment.CpuUsage.TotalTime;
        var receipt = await fleet.Append(batch, cancel);
        var taken = receipt.Items.Count(a => a.Status == AdmissionStatus.Accepted);
        if (taken != batch.Count)
            throw new InvalidOperationException($"{batch.Count - taken} challenges or quotes were not taken.");
        Tell("quotes verified at the door of their twins", "quotes/s", count, watch, used,
            $"{count} quotes with their challenges in one batch, enrolled keys, invariants judged, fsync");
    }

    private void Tell(string name, string unit, int count, Stopwatch watch, TimeSpan used, string scale) =>
        bench.Tell(name, unit, count / watch.Elapsed.TotalSeconds, string.Create(CultureInfo.InvariantCulture,
            $"{scale}; {(Environment.CpuUsage.TotalTime - used).TotalMicroseconds / count:n0} us of processor each"));
}
