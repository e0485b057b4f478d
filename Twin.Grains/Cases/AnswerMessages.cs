using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Cases;

// What twins tell each other in a sweep about what is done. A sweep's rounds: twins report (0), cases merge and ask
// (1), the policy answers (2), cases decide, tell their desk and ask for room (3), concentrator and guards pass it on
// (4 to 7), cases order (8).

/// <summary>Kinds of message between cases, policy, desks and guards; the number is part of the encoding.</summary>
public enum AnswerKind : byte
{
    /// <summary><see cref="Cases.Report"/>: subject to case.</summary>
    Report = 1,
    /// <summary><see cref="Policies.CaseFacts"/>: case to policy.</summary>
    Ask = 2,
    /// <summary><see cref="Policies.Decision"/>: policy to case.</summary>
    Decided = 3,
    /// <summary><see cref="DeskEntry"/>: case to desk, when it opens, changes its urgency or ends.</summary>
    Entered = 4,
    /// <summary><see cref="DeskPlace"/>: desk to case.</summary>
    Placed = 5,
    /// <summary><see cref="Guards.Reservation"/>: case to concentrator or guard, and on.</summary>
    Reserve = 6,
    /// <summary><see cref="Guards.ReservationAnswer"/>: guard to case.</summary>
    Reserved = 7,
    /// <summary>
    /// <see cref="Guards.Reservation"/>: case to a guard, what it had granted will not be used after all.
    /// </summary>
    Release = 8,
    /// <summary><see cref="DeskEntry"/>: desk to the case of a group, which gets a member.</summary>
    Member = 9,
    /// <summary>
    /// <see cref="Guards.Reservation"/>: guard to the guard of the fleet, which counts what was refused below it.
    /// </summary>
    Refused = 10,
}

/// <summary>The head of such a message.</summary>
public static class AnswerHead
{
    /// <summary>
    /// Version 1, with the upper half set: messages of closing days begin with versions below, and a concentrator gets
    /// both.
    /// </summary>
    private const byte Version = 0xA1;

    /// <summary>True for a message that begins with such a head, of whatever version.</summary>
    public static bool IsOn(ReadOnlySpan<byte> message) => message.Length > 0 && message[0] >= 0xA0;

    public static void Write(ByteWriter to, AnswerKind kind)
    {
        to.Byte(Version);
        to.Byte((byte)kind);
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static AnswerKind Read(ref ByteReader r)
    {
        if (r.Byte() is not Version and var version)
            throw r.Bad($"a message about a case has version {version}, this MeterTwin knows {Version}");
        return (AnswerKind)r.Byte((int)AnswerKind.Report, (int)AnswerKind.Refused);
    }
}

/// <summary>What a case tells its desk.</summary>
public sealed record DeskEntry(TwinKey Case, int Number, TwinKey Subject, string SubjectName, UnixTime At,
    UnixTime From, UnixTime To, FindingKind Kind, Severity Severity, string Cause, string Feeder, int StormSize,
    int DeskBudget, bool Ended)
{
    public void Write(ByteWriter to)
    {
        Policies.CaseFacts.WriteKey(to, Case);
        to.VarUInt((ulong)Number);
        Policies.CaseFacts.WriteKey(to, Subject);
        to.Text(SubjectName);
        foreach (var time in (ReadOnlySpan<UnixTime>)[At, From, To]) to.VarInt(time.Seconds);
        to.Byte((byte)Kind);
        to.Byte((byte)Severity);
        to.Text(Cause);
        to.Text(Feeder);
        to.VarUInt((ulong)StormSize);
        to.VarInt(DeskBudget);
        to.Bool(Ended);
    }

    public static DeskEntry Read(ref ByteReader r) => new(Policies.CaseFacts.ReadKey(ref r), r.Count(int.MaxValue),
        Policies.CaseFacts.ReadKey(ref r), r.Text(), Input.ReadTime(ref r), Input.ReadTime(ref r),
        Input.ReadTime(ref r), (FindingKind)r.Byte(), (Severity)r.Byte((int)Severity.Info, (int)Severity.Critical),
        r.Text(), r.Text(), r.Count(int.MaxValue), r.Int(), r.Bool());
}

/// <summary>Where a desk puts a case.</summary>
public enum Placing : byte
{
    /// <summary>In the queue, as a case of its own.</summary>
    Queued = 1,
    /// <summary>Part of a group of one cause.</summary>
    Grouped = 2,
    /// <summary>Beyond the day's budget: in the group of what is beyond, and said so.</summary>
    Overflow = 3,
}

/// <summary>The desk's answer. <paramref name="Group"/>: the case that it is part of; default when it is its own.
/// </summary>
public sealed record DeskPlace(int Number, Placing Placing, TwinKey Group)
{
    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)Number);
        to.Byte((byte)Placing);
        to.Byte((byte)Group.Kind);
        to.UInt64(Group.Id);
    }

    public static DeskPlace Read(ref ByteReader r) => new(r.Count(int.MaxValue),
        (Placing)r.Byte((int)Placing.Queued, (int)Placing.Overflow), new TwinKey((TwinKind)r.Byte(), r.UInt64()));
}
