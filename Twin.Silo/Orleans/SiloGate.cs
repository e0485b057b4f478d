using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Orleans;

/// <summary>The gate of this silo; see <see cref="ISiloGate"/>. Never collected: it is the silo's door.</summary>
[SiloPlacement]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed class SiloGate(IGrainFactory grains, SiloTwins twins, ITwinFactory factory,
    ILocalSiloDetails silo, EngineOptions options) : Grain, ISiloGate
{
    /// <summary>Orders under way to grains at once; the rest waits its turn.</summary>
    private const int MaxOrders = 4096;

    private readonly record struct Order(TwinKey Key, Immutable<byte[]> Bytes, int Offset, int Length);

    private readonly Dictionary<long, List<GateLetter>> _mail = [];
    private readonly Queue<TwinKey> _toKeep = new();
    private readonly HashSet<TwinKey> _spoke = [];
    private long _mailEpoch;

    public Task<GateHello> Hello() => Task.FromResult(new GateHello(options.Protocol, twins.JudgingVersion));

    public async Task Begin(long epoch, string[] silos, bool isSettled)
    {
        var me = Array.IndexOf(silos, silo.SiloAddress.ToParsableString());
        var homes = new Homes(silos);
        var leave = await Task.Run(() => twins.Begin(epoch, homes, me, isSettled));
        foreach (var chunk in leave.Chunk(MaxOrders))
            await Task.WhenAll(chunk.Select(key =>
                grains.Twin(key).Do(TwinOrder.Leave, epoch, new([]), 0, 0).AsTask()));
        await twins.Left();
    }

    public async Task<int> CatchUp(long epoch)
    {
        RequireEpoch(epoch);
        // Whether a twin waits shows in its state only: those behind their rows are loaded.
        foreach (var chunk in twins.WithTail().Chunk(MaxOrders))
            await Give(TwinOrder.Read, epoch, [.. chunk.Select(key => new Order(key, new([]), 0, 0))], (_, _) => { });
        return twins.Waiting;
    }

    /// <summary>Gives orders to grains and hands their answers over, in the order of the list.</summary>
    private async Task Give(TwinOrder order, long epoch, List<Order> orders, Action<Order, byte[]> answered)
    {
        var running = new ValueTask<Immutable<byte[]>>[Math.Min(orders.Count, MaxOrders)];
        for (var start = 0; start < orders.Count; start += MaxOrders)
        {
            var count = Math.Min(MaxOrders, orders.Count - start);
            var keys = new TwinKey[count];
            for (var i = 0; i < count; i++) keys[i] = orders[start + i].Key;
            if (order != TwinOrder.Read) twins.Touch(keys);
            twins.Fetch(keys);
            for (var i = 0; i < count; i++)
            {
                var o = orders[start + i];
                running[i] = grains.Twin(o.Key).Do(order, epoch, o.Bytes, o.Offset, o.Length);
            }
            Exception? failed = null;
            for (var i = 0; i < count; i++)
            {
                try
                {
                    answered(orders[start + i], (await running[i]).Value);
                }
                catch (Exception e)
                {
                    failed ??= e;
                }
            }
            if (failed is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failed);
        }
    }

    private void RequireEpoch(long epoch)
    {
        if (epoch != twins.Epoch)
            throw new OtherEpochException($"The gate of {silo.SiloAddress} is in epoch {twins.Epoch}, not {epoch}.");
    }

    public async Task<Immutable<byte[]>> Give(long epoch, TwinOrder order, Immutable<byte[]> items)
    {
        RequireEpoch(epoch);
        var orders = ReadOrders(items);
        foreach (var o in orders) twins.Expect(o.Key);
        var answers = new ByteWriter(items.Value.Length + 1024);
        await Give(order, epoch, orders, (o, answer) =>
        {
            var head = new AnswerReader(answer);
            twins.Answered(o.Key, head.Changed, head.Waits);
            KeyCode.Write(answers, o.Key);
            answers.Blob(answer);
        });
        var reply = new ByteWriter(answers.Length + 8);
        reply.VarUInt((ulong)twins.Waiting);
        reply.Bytes(answers.Written);
        return new(reply.ToArray());
    }

    private static List<Order> ReadOrders(Immutable<byte[]> items)
    {
        var orders = new List<Order>();
        var r = new ByteReader(items.Value);
        while (!r.AtEnd)
        {
            var key = KeyCode.Read(ref r);
            var length = r.Blob().Length;
            orders.Add(new Order(key, items, r.Position - length, length));
        }
        return orders;
    }

    public async Task<Immutable<byte[]>> Hear(long epoch, long round, bool isSweep, Immutable<byte[]> input)
    {
        RequireEpoch(epoch);
        var keys = isSweep ? twins.WaitingTwins() : twins.Hearers();
        _spoke.Clear();
        if (isSweep) _spoke.UnionWith(keys);
        var speech = new RoundSpeech(this, twins, factory, epoch, round);
        await Give(isSweep ? TwinOrder.HearSweep : TwinOrder.Hear, epoch,
            [.. keys.Select(key => new Order(key, input, 0, input.Value.Length))],
            (o, answer) => speech.Add(o.Key, answer, null, 0, 0));
        return new((await speech.End()).ToBytes());
    }

    public Task Post(long epoch, long round, int fromSilo, Immutable<byte[]> letters)
    {
        RequireEpoch(epoch);
        Take(round, fromSilo, letters.Value);
        return Task.CompletedTask;
    }

    /// <summary>Letters to twins of this silo, to be delivered in a round.</summary>
    internal void Take(long round, int fromSilo, byte[] letters)
    {
        if (_mailEpoch != twins.Epoch) _mail.Clear();
        _mailEpoch = twins.Epoch;
        if (!_mail.TryGetValue(round, out var list)) _mail[round] = list = [];
        GateCode.ReadLetters(letters, fromSilo, list);
    }

    internal ISiloGate Gate(int index) => grains.GetGrain<ISiloGate>(twins.Homes.Silos[index]);

    public async Task<Immutable<byte[]>> Deliver(long epoch, long round, bool isSweep)
    {
        RequireEpoch(epoch);
        var speech = new RoundSpeech(this, twins, factory, epoch, round);
        if (_mailEpoch != epoch || !_mail.Remove(round, out var mail)) mail = [];
        mail.Sort();
        var (orders, spans) = (new List<Order>(), new Dictionary<TwinKey, (int Start, int Count)>());
        for (var i = 0; i < mail.Count;)
        {
            var to = mail[i].To;
            var end = i + 1;
            while (end < mail.Count && mail[end].To == to) end++;
            var bytes = GateCode.Mail(mail, i, end - i);
            if (!twins.Knows(to)) speech.Born(to);
            twins.Expect(to);
            orders.Add(new Order(to, new(bytes), 0, bytes.Length));
            if (isSweep) _spoke.Add(to);
            spans[to] = (i, end - i);
            i = end;
        }
        await Give(isSweep ? TwinOrder.ReceiveSweep : TwinOrder.Receive, epoch, orders, (o, answer) =>
        {
            var (start, count) = spans[o.Key];
            speech.Add(o.Key, answer, mail, start, count);
        });
        return new((await speech.End()).ToBytes());
    }

    public async Task<Immutable<byte[]>> Keep(long epoch, bool isFirst, bool all)
    {
        RequireEpoch(epoch);
        if (isFirst)
        {
            _toKeep.Clear();
            foreach (var key in twins.BeginKeep(all ? null : _spoke)) _toKeep.Enqueue(key);
        }
        var page = new ByteWriter(64 * 1024);
        while (_toKeep.Count > 0 && page.Length < GateCode.PageBytes)
        {
            var orders = new List<Order>();
            while (orders.Count < MaxOrders / 4 && _toKeep.TryDequeue(out var key))
            {
                if (twins.Parked(key) is { } state) GateCode.WriteState(page, key, twins.IsWaiting(key), state);
                else orders.Add(new Order(key, new([]), 0, 0));
            }
            await Give(TwinOrder.Read, epoch, orders, (o, state) =>
            {
                if (state.Length > 0) GateCode.WriteState(page, o.Key, twins.IsWaiting(o.Key), state);
            });
        }
        return new(page.ToArray());
    }

    public Task Settled(long epoch)
    {
        RequireEpoch(epoch);
        twins.Settled();
        return Task.CompletedTask;
    }

    public async ValueTask<Immutable<byte[]>> Read(long epoch, TwinKind kind, ulong id)
    {
        var key = new TwinKey(kind, id);
        RequireEpoch(epoch);
        return twins.Knows(key) ? await grains.Twin(key).Do(TwinOrder.Read, epoch, new([]), 0, 0) : new([]);
    }
}
