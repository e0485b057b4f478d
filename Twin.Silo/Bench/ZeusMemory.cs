using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>
/// What the twin of a ZEUS meter takes with readings and with all that its security side keeps of honest service:
/// keys, both counter windows full, registers, two challenges answered, an accepted log.
/// </summary>
internal sealed class ZeusMemory(BenchRun bench, CancellationToken cancel)
{
    private const int Twins = 10_000, Days = 10, FramesPerDay = 5;

    /// <summary>2009-03-02, the first day that <see cref="IngestBench"/> loads.</summary>
    private const long FirstDay = 14_305;

    private static UnixTime At(int day, int second) => new((FirstDay + day) * 86_400 + second);

    public async Task Run(string path)
    {
        bench.Say("memory of ZEUS meters");
        var (plain, _) = await Measure(Path.Combine(path, "plain"), isSecure: false);
        var (secure, findings) = await Measure(Path.Combine(path, "secure"), isSecure: true);
        bench.AtMost("resident memory of one ZEUS meter twin", "bytes", 1536, secure, string.Create(
            CultureInfo.InvariantCulture, $"{Twins:n0} meters x {Days} days of 48, {Days * FramesPerDay} frames each "
                + $"way, 5 keys, registers, 2 quotes, {findings:n0} findings; with their part of feeders, cohorts and "
                + $"fleet; {plain:n0} without keys, frames, registers and quotes"));
    }

    /// <summary>Bytes a meter, and findings.</summary>
    private async Task<(double Bytes, long Findings)> Measure(string path, bool isSecure)
    {
        var meters = Enumerable.Range(0, Twins).Select(IngestBench.Meter).ToArray();
        var keys = meters.Select(_ => NewKey()).ToArray();
        var registers = new long[Twins];
        await using var fleet = EmbeddedFleet.Open(BenchRun.Options(path), new TwinFactory(), null);
        await IngestBench.Register(fleet, meters);
        if (isSecure) await Batches(fleet, meters, (b, i) => Enrol(b, meters[i], PointOf(keys[i])));
        for (var day = 0; day < Days; day++)
        {
            var today = day;
            await IngestBench.Load(fleet, meters, day, day + 1);
            if (!isSecure) continue;
            await Batches(fleet, meters, (b, i) =>
                Frames(b, meters[i], today, registers[i] += IngestBench.Sum(meters[i], today)));
            if (day is 1 or Days - 1) await Batches(fleet, meters, (b, i) => Attest(b, meters[i], keys[i], today));
            var sweep = new InputBatch("bench");
            sweep.Add(new Sweep(At(day + 1, 0)));
            await fleet.Append(sweep, cancel);
        }
        await fleet.StateHash(cancel);
        var findings = fleet.Status.Findings;
        // What the twins take is what is free without them: buffers of the engine weigh much beside so few.
        var with = GC.GetTotalMemory(forceFullCollection: true);
        fleet.Host.Clear();
        var heap = with - GC.GetTotalMemory(forceFullCollection: true);
        return ((double)heap / Twins, findings);
    }

    private static ECParameters NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportParameters(includePrivateParameters: true);
    }

    private static byte[] PointOf(in ECParameters key) => [.. key.Q.X!, .. key.Q.Y!];

    private async Task Batches(EmbeddedFleet fleet, MeterId[] meters, Action<InputBatch, int> fill)
    {
        const int perBatch = 1_000;
        for (var from = 0; from < meters.Length; from += perBatch)
        {
            var batch = new InputBatch("bench");
            for (var i = from; i < Math.Min(from + perBatch, meters.Length); i++) fill(batch, i);
            var receipt = await fleet.Append(batch, cancel);
            if (receipt.Items.Any(a => a.Status == AdmissionStatus.Rejected))
                throw new InvalidOperationException("The fleet rejected an input of the bench.");
        }
    }

    private static void Enrol(InputBatch batch, MeterId meter, byte[] point)
    {
        foreach (var slot in (KeySlot[])[KeySlot.DeviceSigning, KeySlot.KeyAgreement, KeySlot.EncryptionUnicast,
            KeySlot.Authentication, KeySlot.Master])
            batch.Add(new KeyEvent(meter.Twin, At(0, 0), slot, KeyEventKind.Enrolled, 1,
                slot is KeySlot.DeviceSigning or KeySlot.KeyAgreement ? point : [], default, "provisioning"));
        batch.Add(new LifeCycleChanged(meter, At(0, 0), LifeCycle.Operating, "head-end"));
    }

    private static void Frames(InputBatch batch, MeterId meter, int day, long register)
    {
        for (var i = 0; i < FramesPerDay; i++)
            foreach (var direction in (FrameDirection[])[FrameDirection.FromMeter, FrameDirection.ToMeter])
            {
                var counter = (uint)(day * FramesPerDay + i + 1);
                batch.Add(new FrameReceived(meter.Twin, At(day, 1 + i), KeySlot.EncryptionUnicast, direction, counter,
                    StableHash.Mix(meter.Value + counter * 2 + (ulong)direction), 120, FrameService.DataNotification));
            }
        batch.Add(new RegisterSnapshot(meter, Channel.Import, At(day + 1, 0), register));
    }

    private static void Attest(InputBatch batch, MeterId meter, in ECParameters signing, int day)
    {
        using var key = ECDsa.Create(signing);
        var nonce = new UInt128(meter.Value, (ulong)day);
        batch.Add(new NonceIssued(meter.Twin, At(day, 100), nonce));
        var quote = new CakQuote
        {
            SystemTitle = meter.Value, Nonce = nonce, FirstSeq = 1, BaseHead = Digest.None, Entries = [],
            Head = Digest.None, LastSeq = 0,
            State = [.. Enumerable.Range(1, CakQuote.Parts).Select(p => new PartState(Digest.Of([(byte)p]), 1, 1))],
            Counters = default, Switch = new SwitchState(true, 1, 4), LifeCycle = LifeCycle.Operating,
            MeterTime = (uint)At(day, 101).Seconds, KeyFingerprint = CakQuote.FingerprintOf(PointOf(signing)),
        };
        var signed = quote.ToSign();
        var signature = key.SignData(signed, HashAlgorithmName.SHA256);
        batch.Add(new AttestationQuote(meter.Twin, At(day, 102), CakQuote.WithSignature(signed, signature),
            SignatureVerdict.Unchecked));
    }
}
