using Twin.Hardware.Events;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>A row of an event log: the meter's time (seconds since 1970, to 2106) and what happened.</summary>
public readonly record struct EventRow(uint MeterTime, MeterEventKind Kind);

/// <summary>
/// The logs of a meter, one ring a class of <see cref="CapacityOf"/> rows; at the bound the oldest row gives way.
/// Memory is taken as rows come.
/// </summary>
public sealed class EventLog
{
    private const int Classes = (int)EventLogClass.Auxiliary + 1;
    private readonly List<EventRow>?[] _rows = new List<EventRow>?[Classes];
    private readonly ushort[] _first = new ushort[Classes];

    /// <summary>
    /// Rows of a log, as a high-end meter has them: 255 of standard, fraud and power quality, 64 else.
    /// </summary>
    public static int CapacityOf(EventLogClass log) =>
        log is EventLogClass.Standard or EventLogClass.Fraud or EventLogClass.PowerQuality ? 255 : 64;

    public void Add(MeterEventKind kind, UnixTime meterTime)
    {
        var log = (int)EventProfiles.LogOf(kind);
        var row = new EventRow((uint)Math.Clamp(meterTime.Seconds, 0, uint.MaxValue), kind);
        var rows = _rows[log] ??= new List<EventRow>(4);
        if (rows.Count < CapacityOf((EventLogClass)log))
        {
            rows.Add(row);
            return;
        }
        rows[_first[log]] = row;
        _first[log] = (ushort)((_first[log] + 1) % rows.Count);
    }

    /// <summary>Rows of a log, oldest first.</summary>
    public IEnumerable<EventRow> Rows(EventLogClass log)
    {
        if (_rows[(int)log] is not { } rows) yield break;
        for (var i = 0; i < rows.Count; i++) yield return rows[(_first[(int)log] + i) % rows.Count];
    }

    /// <summary>Empties a log; that it was emptied becomes its first row.</summary>
    public void Clear(EventLogClass log, UnixTime meterTime)
    {
        (_rows[(int)log], _first[(int)log]) = (null, 0);
        (_rows[(int)log] = new List<EventRow>(4)).Add(
            new EventRow((uint)Math.Clamp(meterTime.Seconds, 0, uint.MaxValue), MeterEventKind.EventLogCleared));
    }
}
