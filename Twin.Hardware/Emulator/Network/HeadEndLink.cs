namespace Twin.Hardware.Emulator.Network;

/// <summary>What the head-end asks of a meter.</summary>
public enum HeadEndWork : byte
{
    Challenge = 0, Checkpoint = 1, Command = 2, KeyTransfer = 3, ImageInitiate = 4, ImageBlocks = 5, ImageVerify = 6,
    ImageActivate = 7, Resend = 8,
}

/// <summary>
/// One request: what it is for, the plain requests to send (several: blocks that nobody confirms), and the time from
/// which on it is neither sent nor awaited (milliseconds since 1970). <paramref name="Order"/> travels with it and
/// comes back with the meter's report of it: a work order, a campaign, or a number of the head-end's own.
/// </summary>
internal sealed record HeadEndTask(HeadEndWork Work, byte[][] Requests, long NotAfter, string Order)
{
    /// <summary>Milliseconds since 1970 before which it is not sent.</summary>
    public long NotBefore { get; init; }

    public UInt128 Nonce { get; init; }

    /// <summary>Key of the response that it carries out; empty for everything else.</summary>
    public string Key { get; init; } = "";

    /// <summary>Passes to a meter that is cut off: it asks, renews keys, or is itself the response.</summary>
    public bool IsRecovery => Key.Length > 0
        || Work is HeadEndWork.Challenge or HeadEndWork.Checkpoint or HeadEndWork.KeyTransfer or HeadEndWork.Resend;
}

/// <summary>How a task ended. <paramref name="Outcome"/> null: nothing came back, or nothing is expected.</summary>
internal readonly record struct HeadEndAnswer(HeadEndTask Task, CommandOutcome? Outcome, bool InTime);

/// <summary>
/// The head-end's list for one meter: one request under way, the others in a queue. A meter reports what became of a
/// command with its next push, and answers a challenge with a quote. Without that in <see cref="TimeoutSeconds"/> the
/// request is sent again under the next counter, at most <see cref="MaxTries"/> times.
/// </summary>
internal sealed class HeadEndLink(int meter, MeterId id)
{
    /// <summary>Requests that wait; a further one is refused.</summary>
    public const int MaxQueued = 64;
    public const int MaxTries = 8;
    public const int TimeoutSeconds = 2 * 3_600;

    private readonly Queue<HeadEndTask> _waiting = [];
    private HeadEndTask? _current;
    private long _sentMs;
    private int _tries;

    public int Meter => meter;
    public MeterId Id => id;
    public bool IsIdle => _current is null && _waiting.Count == 0;

    /// <summary>Writes to the meter are blocked: nothing but recovery goes out.</summary>
    public bool IsBlocked { get; set; }

    private bool Refuses(HeadEndTask task) => IsBlocked && !task.IsRecovery;

    /// <summary>False when the queue is full, or writes are blocked: the caller tries again later.</summary>
    public bool TryAdd(HeadEndTask task)
    {
        if (_waiting.Count >= MaxQueued || Refuses(task)) return false;
        _waiting.Enqueue(task);
        return true;
    }

    /// <summary>What to send now, if anything; tasks that ended unanswered go to <paramref name="ended"/>.</summary>
    public HeadEndTask? Pump(long nowMs, List<(HeadEndLink, HeadEndAnswer)> ended)
    {
        if (_current is { } under)
        {
            if (nowMs - _sentMs < 1_000L * TimeoutSeconds) return null;
            if (_tries < MaxTries && nowMs < under.NotAfter && !Refuses(under)) return Sent(under, nowMs);
            ended.Add((this, new HeadEndAnswer(under, null, false)));
            _current = null;
        }
        while (_waiting.TryPeek(out var next))
        {
            if (nowMs < next.NotBefore) return null;
            _waiting.Dequeue();
            if (nowMs >= next.NotAfter || Refuses(next))
            {
                ended.Add((this, new HeadEndAnswer(next, null, false)));
                continue;
            }
            _tries = 0;
            if (next.Work == HeadEndWork.ImageBlocks) ended.Add((this, new HeadEndAnswer(next, null, true)));
            else _current = next;
            return Sent(next, nowMs);
        }
        return null;
    }

    private HeadEndTask Sent(HeadEndTask task, long nowMs)
    {
        (_sentMs, _tries) = (nowMs, _tries + 1);
        return task;
    }

    /// <summary>True when the report is about what is under way.</summary>
    public bool TryTake(CommandOutcome outcome, out HeadEndAnswer answer)
    {
        answer = default;
        if (_current is not { } task || outcome.Order != task.Order || outcome.Origin != CommandOrigin.HeadEnd)
            return false;
        answer = new HeadEndAnswer(task, outcome, true);
        _current = null;
        return true;
    }

    /// <summary>A quote came: the challenge under way that it answers, if it does.</summary>
    public HeadEndTask? Take(UInt128 nonce)
    {
        if (_current is not { Work: HeadEndWork.Challenge } task || task.Nonce != nonce) return null;
        _current = null;
        return task;
    }
}
