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
    private const int Twins = 20_000, Days = 10, FramesPerDay = 5;

    /// <summary>2009-03-02, the first day that <see cref="IngestBench"/> loads.</summary>
    private const long FirstDay = 14_305;

    private static UnixTime At(int day, int second) => new((FirstDay + day) * 86_400 + second);

    public async Task Run(string path)
    {
        bench.Say("memory of ZEUS meters");
        var meters = Enumerable.Range(0, Twins).Select(IngestBench.Meter).ToArray();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        byte[] point = [.. q.X!, .. q.Y!];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await using var fleet = EmbeddedFleet.Open(BenchRun.Options(path), new TwinFactory(), null);
        await IngestBench.Register(fleet, meters);
        await Batches(fleet, meters, (b, m) => Enrol(b, m, point));
        for (var day = 0; day < Days; day++)
        {
            var today = day;
            await IngestBench.Load(fleet, meters, day, day + 1);
            await Batches(fleet, meters, (b, m) => Frames(b, m, today));
            if (day is 1 or Days - 1) await Batches(fleet, meters, (b, m) => Attest(b, m, key, point, today));
        }
        await fleet.StateHash(cancel);
        var heap = GC.GetTotalMemory(forceFullCollection: true) - before;
        bench.AtMost("resident memory of one ZEUS meter twin", "bytes", 1536, (double)heap / Twins,
            string.Create(CultureInfo.InvariantCulture, $"{Twins:n0} meters x {Days} days of 48, {Days * FramesPerDay} frames "
                + $"each way, 5 keys, 2 quotes; with their part of feeders and cohorts"));
    }

    private async Task Batches(EmbeddedFleet fleet, MeterId[] meters, Action<InputBatch, MeterId> fill)
    {
        const int perBatch = 1_000;
        for (var from = 0; from < meters.Length; from += perBatch)
        {
            var batch = new InputBatch("bench");
            foreach (var m in meters.AsSpan(from, Math.Min(perBatch, meters.Length - from))) fill(batch, m);
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

    private static void Frames(InputBatch batch, MeterId meter, int day)
    {
        for (var i = 0; i < FramesPerDay; i++)
            foreach (var direction in (FrameDirection[])[FrameDirection.FromMeter, FrameDirection.ToMeter])
            {
                var counter = (uint)(day * FramesPerDay + i + 1);
                batch.Add(new FrameReceived(meter.Twin, At(day, 1 + i), KeySlot.EncryptionUnicast, direction, counter,
                    StableHash.Mix(meter.Value + counter * 2 + (ulong)direction), 120, FrameService.DataNotification));
            }
        batch.Add(new RegisterSnapshot(meter, Channel.Import, At(day + 1, 0), (day + 1) * 20_000L));
    }

    private static void Attest(InputBatch batch, MeterId meter, ECDsa key, byte[] point, int day)
    {
        var nonce = new UInt128(meter.Value, (ulong)day);
        batch.Add(new NonceIssued(meter.Twin, At(day, 100), nonce));
        var quote = new CakQuote
        {
            SystemTitle = meter.Value, Nonce = nonce, FirstSeq = 1, BaseHead = Digest.None, Entries = [],
            Head = Digest.None, LastSeq = 0,
            State = [.. Enumerable.Range(1, CakQuote.Parts).Select(p => new PartState(Digest.Of([(byte)p]), 1, 1))],
            Counters = default, Switch = new SwitchState(true, 1, 4), LifeCycle = LifeCycle.Operating,
            MeterTime = (uint)At(day, 101).Seconds, KeyFingerprint = CakQuote.FingerprintOf(point),
        };
        var signed = quote.ToSign();
        batch.Add(new AttestationQuote(meter.Twin, At(day, 102),
            CakQuote.WithSignature(signed, key.SignData(signed, HashAlgorithmName.SHA256)), SignatureVerdict.Unchecked));
    }
}
