using Orleans;
using Orleans.Concurrency;
using Twin.Grains.Orleans;
using Twin.Hardware;

namespace Twin.Silo.Orleans;

/// <summary>
/// The one way into the twins of a silo, named by the silo's address. The sequencer gives one order a silo and step;
/// the gate calls its grains. All bytes are those of <see cref="GateCode"/>.
/// </summary>
[Alias("metertwin.gate")]
internal interface ISiloGate : IGrainWithStringKey
{
    /// <summary>Protocol of the gate and judging version of its twins.</summary>
    [Alias("hello"), AlwaysInterleave]
    Task<GateHello> Hello();

    /// <summary>Begins an epoch; see <see cref="SiloTwins.Begin"/>.</summary>
    [Alias("begin"), ResponseTimeout("00:30:00")]
    Task Begin(long epoch, string[] silos, bool isSettled);

    /// <summary>
    /// All silos have begun the epoch: loads the twins behind their rows; how many of all wait for a sweep.
    /// </summary>
    [Alias("catch-up"), ResponseTimeout("00:30:00")]
    Task<int> CatchUp(long epoch);

    /// <summary>Items of a step, by twin, to be admitted or replayed; answers by twin.</summary>
    [Alias("give"), ResponseTimeout("00:10:00")]
    Task<Immutable<byte[]>> Give(long epoch, TwinOrder order, Immutable<byte[]> items);

    /// <summary>A closing or a sweep: every twin concerned hears the input and may send; round 0.</summary>
    [Alias("hear"), ResponseTimeout("00:10:00")]
    Task<Immutable<byte[]>> Hear(long epoch, long round, bool isSweep, Immutable<byte[]> input);

    /// <summary>Letters to be delivered in a round, from another silo. Rounds are counted through an epoch.</summary>
    [Alias("post"), ResponseTimeout("00:10:00"), AlwaysInterleave]
    Task Post(long epoch, long round, int fromSilo, Immutable<byte[]> letters);

    /// <summary>Delivers the letters of a round; all silos have posted theirs.</summary>
    [Alias("deliver"), ResponseTimeout("00:10:00")]
    Task<Immutable<byte[]>> Deliver(long epoch, long round, bool isSweep);

    /// <summary>
    /// States of twins that changed since they were last handed over, a page at a time; an empty page ends. Not all:
    /// those that took part in the last sweep.
    /// </summary>
    [Alias("keep"), ResponseTimeout("00:10:00")]
    Task<Immutable<byte[]>> Keep(long epoch, bool isFirst, bool all);

    /// <summary>All before is committed.</summary>
    [Alias("settled")]
    Task Settled(long epoch);

    /// <summary>The canonical state of a twin; empty when there is none.</summary>
    [Alias("read"), AlwaysInterleave]
    ValueTask<Immutable<byte[]>> Read(long epoch, TwinKind kind, ulong id);
}

/// <summary>What a silo says of itself before twins are given to it.</summary>
[GenerateSerializer, Immutable, Alias("metertwin.hello")]
internal sealed record GateHello([property: Id(0)] int Protocol, [property: Id(1)] int JudgingVersion);
