using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

/// <summary>
/// A response that its case still looks after, with what only the case needs to know. <see cref="Asked"/>: the policy
/// has been asked about it. <see cref="Reserving"/>: room was asked for and no answer has come. <see cref="Held"/>:
/// room was granted and not given back. <see cref="Approved"/>: persons said process after a quarantine.
/// <see cref="Declined"/>: a person said no.
/// </summary>
internal sealed class LiveResponse(ResponseRecord record)
{
    public ResponseRecord Record = record;
    public bool Asked, Reserving, Held, Approved, Declined;
    public int MeanDelaySeconds, ExpirySeconds;

    /// <summary>Findings of the case when it was proposed.</summary>
    public int FindingCount;

    /// <summary>Not asked again before, while the freeze holds it.</summary>
    public UnixTime AskAt;

    /// <summary>Its taking back was ordered, and the outcome is awaited, since the first sweep after it.</summary>
    public bool Undoing;

    public UnixTime UndoAt;
    public UnixTime WindowFrom;
    public GuardLimits? Limits;

    /// <summary>Needs nothing more: it may be forgotten when room is needed.</summary>
    public bool IsOver => Record.State is ResponseState.Failed or ResponseState.Undone or ResponseState.Expired
        or ResponseState.Rejected or ResponseState.Cancelled
        || Record.State == ResponseState.Done && Record.ExpiresAt.Seconds == 0;

    /// <summary>Over, and nothing of it holds: forgotten before what is done and may still be taken back.</summary>
    public bool IsGone => IsOver && !Held && !Undoing && (Record.State != ResponseState.Done || IsForgotten
        || Record.Rung == ResponseRung.Notify);

    /// <summary>Nothing has gone out yet.</summary>
    public bool IsPending => Record.State is ResponseState.Proposed or ResponseState.Authorised;

    /// <summary>In force, or on its way to be: no second of its rung is made.</summary>
    public bool IsLive => Record.State is ResponseState.Proposed or ResponseState.Authorised
        or ResponseState.Executing or ResponseState.Quarantined
        || Record.State == ResponseState.Done && !IsForgotten;

    /// <summary>Done once and for all; done again when the policy wants it again.</summary>
    private bool IsForgotten => Record.Rung is ResponseRung.Reattest or ResponseRung.RotateKeys;

    public void Write(ByteWriter to)
    {
        Record.Write(to);
        foreach (var b in (ReadOnlySpan<bool>)[Asked, Reserving, Held, Approved, Declined, Undoing]) to.Bool(b);
        to.VarUInt((ulong)MeanDelaySeconds);
        to.VarUInt((ulong)ExpirySeconds);
        to.VarUInt((ulong)FindingCount);
        foreach (var time in (ReadOnlySpan<UnixTime>)[WindowFrom, AskAt, UndoAt]) to.VarInt(time.Seconds);
        to.Bool(Limits is not null);
        Limits?.Write(to);
    }

    public static LiveResponse Read(ref ByteReader r) => new(ResponseRecord.Read(ref r))
    {
        Asked = r.Bool(), Reserving = r.Bool(), Held = r.Bool(), Approved = r.Bool(),
        Declined = r.Bool(), Undoing = r.Bool(),
        MeanDelaySeconds = r.Count(int.MaxValue), ExpirySeconds = r.Count(int.MaxValue),
        FindingCount = r.Count(int.MaxValue), WindowFrom = Input.ReadTime(ref r), AskAt = Input.ReadTime(ref r),
        UndoAt = Input.ReadTime(ref r), Limits = r.Bool() ? GuardLimits.Read(ref r) : null,
    };
}
