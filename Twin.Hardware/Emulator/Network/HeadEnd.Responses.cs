using System.Globalization;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Emulator.Network;

/// <summary>How an order to the head-end ended. <paramref name="Code"/>: why not, in its own words.</summary>
public readonly record struct EndedOrder(string Key, bool Done, string Code, UnixTime At);

/// <summary>What the head-end does for responses, and whom it asks before it switches.</summary>
public sealed partial class HeadEnd
{
    /// <summary>Seconds between two challenges of a meter that is looked at closely.</summary>
    public const int CloseLookSeconds = 3_600;

    /// <summary>Ends of orders that wait for whoever gave them; at the bound the oldest goes, and is asked for again.
    /// </summary>
    private const int MaxEnded = 65_536;

    private readonly Queue<EndedOrder> _endedOrders = [];
    private int _requests;

    /// <summary>
    /// Switch commands wait for leave: whoever wants one asks, and it goes out when it is ordered. Without it they go
    /// out at once.
    /// </summary>
    public bool IsGated { get; set; }

    /// <summary>
    /// Somebody with an account has the head-end switch a meter. A gated head-end passes the wish on and does nothing.
    /// </summary>
    public void Ask(int meter, bool on, UnixTime now, Actor by, string order, string why)
    {
        if (!IsGated)
        {
            Send(meter, on ? MeterCommands.Reconnect() : MeterCommands.Disconnect(), now, order);
            return;
        }
        var number = "RQ-" + (++_requests).ToString("D6", CultureInfo.InvariantCulture);
        _notes.Add(new CommandRequest(_links[meter].Id, now, by, number,
            on ? ResponseRung.Reconnect : ResponseRung.Disconnect, order, why));
    }

    /// <summary>Challenges by hand, under the key of a response. False when the meter's queue is full.</summary>
    internal bool Challenge(int meter, UnixTime now, string key) =>
        Challenge(meter, now, new UInt128(_nonces.NextUInt64(), _nonces.NextUInt64()), key);

    /// <summary>Challenges the meter so often from now on, beginning at once; null: as often as all.</summary>
    internal void Sample(int meter, UnixTime now, int? everySeconds)
    {
        var (known, period) = (_known[meter], everySeconds ?? 3_600L * _plan.Options.AttestHours);
        if (known.PeriodSeconds == period) return;
        known.PeriodSeconds = period;
        known.ChallengeAt = everySeconds is null ? now.Seconds + period : Math.Min(known.ChallengeAt, now.Seconds);
    }

    internal void Block(int meter, bool blocked) => _links[meter].IsBlocked = blocked;

    /// <summary>Renews the meter's key. False when its queue is full.</summary>
    internal bool Renew(int meter, UnixTime now, string key) =>
        RollOver(meter, now, Order(meter, now, "", key, CommandKind.TransferKey), key);

    /// <summary>Sends a command under a work order of its own, or one it quotes. False: the queue is full.</summary>
    internal bool Command(int meter, UnixTime now, string key, string order, byte[] command, CommandKind kind) =>
        Queue(meter, now, HeadEndWork.Command, command,
            order.Length > 0 ? order : Order(meter, now, "", key, kind), default, key);

    /// <summary>Takes how orders ended since last asked, in order.</summary>
    internal void TakeEnded(ICollection<EndedOrder> to)
    {
        while (_endedOrders.TryDequeue(out var ended)) to.Add(ended);
    }

    private void EndOrder(in HeadEndAnswer answer, UnixTime at)
    {
        if (answer.Task.Work == HeadEndWork.Challenge && !answer.InTime)
            EndOrder(answer.Task.Key, false, "no quote came", at);
        else if (!answer.InTime || answer.Outcome is not { } outcome)
            EndOrder(answer.Task.Key, false, "no answer", at);
        else
            // A delayed one is the metrology core's now: it moves within the hour, whatever the application wants.
            EndOrder(answer.Task.Key, outcome.Result is CommandResult.Done or CommandResult.Delayed,
                outcome.Result.ToString(), at);
    }

    private void EndOrder(string key, bool done, string code, UnixTime at)
    {
        if (_endedOrders.Count == MaxEnded) _endedOrders.Dequeue();
        _endedOrders.Enqueue(new EndedOrder(key, done, code, at));
    }
}
