using System.Diagnostics;
using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Bench;

/// <summary>What room in the budgets costs: one reservation at one guard, and the guard's memory.</summary>
internal sealed class GuardBench(BenchRun bench)
{
    private const int Warm = 20_000, Asked = 200_000, Sweeps = 100, Guards = 2_000;
    private const long Start = 1_767_225_600;

    private static readonly Budget s_open = new(-1, -1, -1, -1, -1, -1), s_tight = new(10, 20, 50, -1, -1, -1);

    public void Run()
    {
        bench.Say("guards: reservations");
        Rate("reservations granted by a guard", s_open);
        Rate("reservations refused by a guard", s_tight);
        Memory();
    }

    private static byte[] Message(int number, Budget fleet, long now)
    {
        var limits = new GuardLimits(s_open, s_open, fleet, 3_600);
        var to = new ByteWriter();
        AnswerHead.Write(to, AnswerKind.Reserve);
        var account = number % 2 == 0 ? "" : $"account {number % 40}";
        new Reservation(new TwinKey(TwinKind.Case, (ulong)number + 1), 1,
            new TwinKey(TwinKind.Meter, (ulong)number + 1), ResponseRung.Disconnect, new UnixTime(now), 700, "F1", "R1",
            account, limits, false).Write(to);
        return to.ToArray();
    }

    private void Rate(string name, Budget fleet)
    {
        var messages = Enumerable.Range(0, Asked / Sweeps).Select(i => Message(i, fleet, Start)).ToArray();
        var (guard, outbox) = (new GuardTwin(GuardKey.Fleet.Id), new Counted());
        for (var i = 0; i < Warm; i += messages.Length) guard.Receive(new Mails(messages), outbox);
        var watch = Stopwatch.StartNew();
        for (var sweep = 1; sweep <= Sweeps; sweep++)
        {
            guard.Apply(new Sweep(new UnixTime(Start + 60 * sweep)).ToBytes(), outbox);
            guard.Receive(new Mails(messages), outbox);
        }
        bench.Tell(name, "ns each", watch.Elapsed.TotalNanoseconds / Asked, string.Create(CultureInfo.InvariantCulture,
            $"{Asked} reservations in {Sweeps} sweeps, read, judged and answered, one thread"));
    }

    /// <summary>Guards of feeders with a hundred grants of the last day each.</summary>
    private void Memory()
    {
        var guards = new GuardTwin[Guards];
        var before = GC.GetTotalMemory(true);
        for (var g = 0; g < Guards; g++)
        {
            guards[g] = new GuardTwin(GuardKey.OfFeeder("F1").Id);
            for (var hour = 0; hour < 20; hour++)
                guards[g].Receive(new Mails([.. Enumerable.Range(0, 5)
                    .Select(i => Message(5 * hour + i, s_open, Start + 3_600 * hour))]), new Counted());
        }
        var each = (double)(GC.GetTotalMemory(true) - before) / Guards;
        var state = new ByteWriter();
        guards[0].Write(state);
        bench.Tell("memory of a guard's twin", "bytes", each, string.Create(CultureInfo.InvariantCulture,
            $"{Guards} guards with 100 grants of the last day each; {state.Length} bytes stored"));
        GC.KeepAlive(guards);
    }

    private sealed class Mails(byte[][] bodies) : IInbox
    {
        public int Count => bodies.Length;
        public Mail this[int index] => new(new TwinKey(TwinKind.Case, (ulong)index + 1), bodies[index]);
    }

    /// <summary>Takes what a guard says, as an engine would, and forgets it.</summary>
    private sealed class Counted : IOutbox
    {
        private long _bytes;

        public void Send(TwinKey to, ReadOnlySpan<byte> message) => _bytes += message.Length;
        public void Publish(ReadOnlySpan<byte> message) => _bytes += message.Length;
        public void Fact(FactKind kind, ReadOnlySpan<byte> fact) => _bytes += fact.Length;
    }
}
