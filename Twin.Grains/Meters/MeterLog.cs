using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>An entry of the meter's own event log, as the twin keeps it.</summary>
public readonly record struct LoggedEvent(long At, string Profile, string Code, string Detail)
    : IComparable<LoggedEvent>
{
    public int CompareTo(LoggedEvent other)
    {
        var byTime = At.CompareTo(other.At);
        if (byTime != 0) return byTime;
        var byProfile = string.CompareOrdinal(Profile, other.Profile);
        if (byProfile != 0) return byProfile;
        var byCode = string.CompareOrdinal(Code, other.Code);
        return byCode != 0 ? byCode : string.CompareOrdinal(Detail, other.Detail);
    }
}

/// <summary>How often a code came.</summary>
public readonly record struct CodeCount(string Code, int Count);

/// <summary>
/// The two latest readings of a cumulative register, for the sum check. <paramref name="PriorAt"/> is 0 while there
/// is one only.
/// </summary>
public readonly record struct RegisterReading(Channel Channel, long At, long Value, long PriorAt, long PriorValue);

/// <summary>
/// What only some meters have: device events and register snapshots. Arrays are replaced, never shared.
/// </summary>
internal sealed class MeterLog
{
    /// <summary>Most events kept; at the bound the oldest is dropped. All of them stay in the journal.</summary>
    public const int MaxEvents = 8;

    /// <summary>Most codes counted apart; at the bound further codes count as <see cref="OtherCodes"/>.</summary>
    public const int MaxCodes = 32;

    /// <summary>
    /// Most characters of a text kept of an event; a longer one is cut in the twin, whole in the journal.
    /// </summary>
    public const int MaxText = 96;

    public const string OtherCodes = "other";

    public LoggedEvent[] Events = [];
    public CodeCount[] Codes = [];
    public RegisterReading[] Registers = [];

    /// <summary>Of the import register; null before its first snapshot.</summary>
    public RegisterCheck? SumCheck;

    public void Add(DeviceEvent e)
    {
        var entry = new LoggedEvent(e.At.Seconds, Cut(e.Profile), Cut(e.Code), Cut(e.Detail));
        LoggedEvent[] events = [.. Events, entry];
        Array.Sort(events);
        Events = events.Length > MaxEvents ? events[^MaxEvents..] : events;
        CountCode($"{entry.Profile}:{entry.Code}");
    }

    public void Add(RegisterSnapshot s)
    {
        if (s.Channel == Channel.Import) (SumCheck ??= new RegisterCheck()).Add(s.At.Seconds, s.Value);
        var i = Array.FindIndex(Registers, r => r.Channel == s.Channel);
        if (i < 0)
        {
            RegisterReading[] registers = [.. Registers, new RegisterReading(s.Channel, s.At.Seconds, s.Value, 0, 0)];
            Array.Sort(registers, (a, b) => a.Channel.CompareTo(b.Channel));
            Registers = registers;
            return;
        }
        var old = Registers[i];
        if (s.At.Seconds > old.At)
            Registers[i] = new RegisterReading(s.Channel, s.At.Seconds, s.Value, old.At, old.Value);
        else if (s.At.Seconds == old.At)
            Registers[i] = old with { Value = Math.Max(old.Value, s.Value) };
        else if (old.PriorAt == 0 || s.At.Seconds > old.PriorAt)
            Registers[i] = old with { PriorAt = s.At.Seconds, PriorValue = s.Value };
        else if (s.At.Seconds == old.PriorAt)
            Registers[i] = old with { PriorValue = Math.Max(old.PriorValue, s.Value) };
    }

    /// <summary>True when the register was read before, and never at or after this one's time.</summary>
    public bool IsLater(RegisterSnapshot s)
    {
        foreach (ref readonly var r in Registers.AsSpan())
            if (r.Channel == s.Channel) return s.At.Seconds > r.At;
        return false;
    }

    private void CountCode(string code)
    {
        var i = Array.FindIndex(Codes, c => c.Code == code);
        if (i < 0 && Codes.Length >= MaxCodes)
        {
            code = OtherCodes;
            i = Array.FindIndex(Codes, c => c.Code == code);
        }
        if (i >= 0)
        {
            Codes[i] = Codes[i] with { Count = Codes[i].Count + 1 };
            return;
        }
        CodeCount[] codes = [.. Codes, new CodeCount(code, 1)];
        Array.Sort(codes, (a, b) => string.CompareOrdinal(a.Code, b.Code));
        Codes = codes;
    }

    private static string Cut(string text) =>
        text.Length <= MaxText ? text : text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)];

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)Events.Length);
        foreach (var e in Events)
        {
            to.VarInt(e.At);
            to.Text(e.Profile);
            to.Text(e.Code);
            to.Text(e.Detail);
        }
        to.VarUInt((ulong)Codes.Length);
        foreach (var c in Codes)
        {
            to.Text(c.Code);
            to.VarUInt((ulong)c.Count);
        }
        to.VarUInt((ulong)Registers.Length);
        foreach (var r in Registers)
        {
            to.Byte((byte)r.Channel);
            to.VarInt(r.At);
            to.VarInt(r.Value);
            to.VarInt(r.PriorAt);
            to.VarInt(r.PriorValue);
        }
        to.Bool(SumCheck is not null);
        SumCheck?.Write(to);
    }

    public static MeterLog Read(ref ByteReader from)
    {
        var log = new MeterLog { Events = new LoggedEvent[from.Count(MaxEvents)] };
        for (var i = 0; i < log.Events.Length; i++)
            log.Events[i] = new LoggedEvent(from.VarInt(), from.Text(), from.Text(), from.Text());
        log.Codes = new CodeCount[from.Count(MaxCodes + 1)];
        for (var i = 0; i < log.Codes.Length; i++) log.Codes[i] = new CodeCount(from.Text(), from.Count(int.MaxValue));
        log.Registers = new RegisterReading[from.Count(256)];
        for (var i = 0; i < log.Registers.Length; i++)
            log.Registers[i] = new RegisterReading((Channel)from.Byte(), from.VarInt(), from.VarInt(), from.VarInt(),
                from.VarInt());
        if (from.Bool()) log.SumCheck = RegisterCheck.Read(ref from);
        return log;
    }
}
