using System.Diagnostics;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Ingest.Dlms;
using Twin.Ingest.Readers;
using Twin.Silo.Embedded;

namespace Twin.Silo.Bench;

/// <summary>Frames of many meters from bytes to the synced journal: opened, checked, admitted, judged.</summary>
internal sealed class FrameBench(BenchRun bench, CancellationToken cancel)
{
    private const int Meters = 10_000;

    /// <summary>Connections that send at once, each with its own channel and batch.</summary>
    private const int Senders = 2;

    private const int BatchItems = 16_384;

    public async Task Run(string path)
    {
        await Frames(Path.Combine(path, "halves"), 1, 40);
        await Frames(Path.Combine(path, "days"), 48, 6);
    }

    /// <summary>Pushes of so many intervals each; the first round makes the twins and is not counted.</summary>
    private async Task Frames(string path, int intervals, int rounds)
    {
        bench.Say(string.Create(CultureInfo.InvariantCulture, $"frames: sealing pushes of {intervals} half-hours"));
        using var load = new SealedFrames(Meters);
        var intake = new FrameIntake(load.Keys, load.Meters.ToHashSet());
        var parts = Enumerable.Range(0, Senders)
            .Select(s => (From: Meters * s / Senders, To: Meters * (s + 1) / Senders));
        var sent = parts.Select(p => Enumerable.Range(0, rounds)
            .Select(r => load.Round(p.From, p.To, r, intervals)).ToArray()).ToArray();
        await using var fleet = EmbeddedFleet.Open(BenchRun.Options(path), new TwinFactory(), null);
        var senders = Enumerable.Range(0, Senders).Select(s => new Sender(fleet, intake, $"bench:{s}")).ToArray();
        await All(senders, (s, i) => s.Send(sent[i][0], cancel));
        await fleet.Compact();
        var sizeBefore = fleet.Journal.Size().Bytes;
        bench.Say("frames: running");
        var used = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        await All(senders, async (s, i) =>
        {
            foreach (var round in sent[i][1..]) await s.Send(round, cancel);
        });
        var seconds = watch.Elapsed.TotalSeconds;
        var processor = Environment.CpuUsage.TotalTime - used;
        await fleet.Compact();
        long frames = (rounds - 1) * (long)Meters;
        if (senders.Sum(s => s.Rejected) > 0)
            throw new InvalidOperationException($"{senders.Sum(s => s.Rejected)} frames were rejected.");
        var scale = string.Create(CultureInfo.InvariantCulture,
            $"{Meters:n0} meters x {rounds - 1} pushes of {intervals} half-hours and a register, AES-GCM-128, "
                + $"wrapper, {Senders} connections, fsync; {processor.TotalMicroseconds / frames:0.0} us of processor "
                + $"a frame");
        bench.AtLeast($"authenticated frames, {intervals} half-hours each", "frames/s", 60_000, frames / seconds,
            scale);
        // What others do to the machine shows in the rate, not in the time that the process itself used. Projected as
        // if the stages filled all cores and no disk was waited for.
        bench.AtLeast($"frames of {intervals} half-hours, by processor time alone", "frames/s", 60_000,
            frames * Environment.ProcessorCount / processor.TotalSeconds, scale, isProjected: true);
        bench.Tell($"disk of a frame, {intervals} half-hours each", "bytes",
            (double)(fleet.Journal.Size().Bytes - sizeBefore) / frames, scale);
    }

    private static Task All(Sender[] senders, Func<Sender, int, Task> work) =>
        Task.WhenAll(senders.Select((s, i) => Task.Run(() => work(s, i))));

    /// <summary>
    /// What a connection does: splits, takes, appends; one batch is on its way while the next is read.
    /// </summary>
    private sealed class Sender(IFleet fleet, FrameIntake intake, string name)
    {
        private readonly FrameChannel _channel = new(name, null, null);
        private readonly FrameSplitter _splitter = new(LinkKind.Wrapper);
        private readonly AnnouncedMeters _announced = new();
        private Task _pending = Task.CompletedTask;
        private InputBatch _batch = new(name);
        private InputBatch _spare = new(name);
        private ObservationBatch? _sink;

        public long Rejected { get; private set; }

        public async Task Send(byte[] bytes, CancellationToken cancel)
        {
            for (var from = 0; from < bytes.Length;)
            {
                from += _splitter.Feed(bytes.AsSpan(from));
                while (Take()) await Append();
            }
            await Append();
            await _pending;
            cancel.ThrowIfCancellationRequested();
        }

        private bool Take()
        {
            _sink ??= new ObservationBatch(_batch, _announced);
            while (_batch.Count < BatchItems && _splitter.TryNext(out var kind, out var frame, out _))
                if (kind != SplitKind.Frame || !intake.Take(_channel, LinkKind.Wrapper, frame, null, _sink).IsValid)
                    Rejected++;
            return _batch.Count >= BatchItems;
        }

        private async Task Append()
        {
            await _pending;
            if (_batch.Count == 0) return;
            _sink!.Committed();
            _sink = null;
            _pending = fleet.Append(_batch, CancellationToken.None).AsTask();
            (_batch, _spare) = (_spare, _batch);
            _batch.Clear();
        }
    }
}
