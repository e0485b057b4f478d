using System.Globalization;
using Twin.Hardware.Coding;
using Twin.Hardware.Events;

namespace Twin.Hardware.Wire.Reports;

/// <summary>A row of an event log as it is pushed: the meter's time and the code in the log's profile.</summary>
public readonly record struct EventLogRow(UnixTime At, string Code);

/// <summary>
/// Bodies of data-notifications other than the load profile, shared by meter and ingest. Each is a structure that
/// begins with a logical name:
/// <list type="bullet">
/// <item>0.0.99.98.x.255, event log x: companion profile (visible-string; may be missing), array of structures of clock
/// (date-time in an octet-string) and code (a number, or visible-string);</item>
/// <item>0.0.96.128.1.255, attestation quote: octet-string;</item>
/// <item>0.0.96.130.K.255, an input of kind K as the device reports it: its payload as octet-string;</item>
/// <item>0.0.96.140.0.255, a maker's own bytes: an octet-string that says nothing to a twin.</item>
/// </list>
/// </summary>
public static class DeviceReport
{
    /// <summary>Rows of one event log in one body; more are refused.</summary>
    public const int MaxRows = 512;

    /// <summary>Longest octet-string of a report, bytes.</summary>
    public const int MaxBytes = 16 * 1024;

    public static readonly Obis Quote = new(0, 0, 96, 128, 1), Own = new(0, 0, 96, 140, 0);

    public static Obis EventLog(EventLogClass log) => new(0, 0, 99, 98, (byte)log);
    public static Obis InputOf(InputKind kind) => new(0, 0, 96, 130, (byte)kind);

    /// <summary>
    /// Kinds that a device may report of itself. Not among them: what only the registry may say, and readings.
    /// </summary>
    public static bool MayReport(InputKind kind) => kind is InputKind.CommandOutcome or InputKind.Session
        or InputKind.Reaction or InputKind.Fingerprint;

    public static byte[] WriteEvents(EventLogClass log, string profile, ReadOnlySpan<EventLogRow> rows)
    {
        if (rows.Length > MaxRows) throw new ArgumentException($"A report holds at most {MaxRows} rows.");
        var w = new CosemWriter(new ByteWriter(32 + rows.Length * 20));
        w.Structure(3);
        w.LogicalName(EventLog(log));
        w.VisibleString(profile);
        w.Array(rows.Length);
        foreach (var row in rows)
        {
            w.Structure(2);
            w.DateTimeOctets(CosemDateTime.FromUnixTime(row.At, 0));
            if (ushort.TryParse(row.Code, CultureInfo.InvariantCulture, out var number))
                w.LongUnsigned(number);
            else w.VisibleString(row.Code);
        }
        return w.To.ToArray();
    }

    public static byte[] WriteBytes(Obis name, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes) throw new ArgumentException($"A report holds at most {MaxBytes} bytes.");
        var w = new CosemWriter(new ByteWriter(16 + bytes.Length));
        w.Structure(2);
        w.LogicalName(name);
        w.OctetString(bytes);
        return w.To.ToArray();
    }

    public static byte[] WriteQuote(ReadOnlySpan<byte> quote) => WriteBytes(Quote, quote);

    /// <exception cref="ArgumentException">An input that no device reports.</exception>
    public static byte[] WriteInput(Input input) => MayReport(input.Kind)
        ? WriteBytes(InputOf(input.Kind), Envelope.Payload(input.ToBytes()))
        : throw new ArgumentException($"A device does not report inputs of kind {input.Kind}.");

    /// <summary>True when a body begins like one of these reports.</summary>
    public static bool Matches(ReadOnlySpan<byte> body) => TryName(body, out var name, out _) && IsOurs(name);

    private static bool IsOurs(Obis name) => name is { A: 0, B: 0, F: 255 }
        && (name is { C: 99, D: 98 } || name is { C: 96, D: 130 } || name == Quote || name == Own);

    /// <summary>
    /// Turns a body into inputs of <paramref name="meter"/>, which are added to <paramref name="into"/>; of a body
    /// that is no report nothing is added. Bytes that say nothing to a twin give no input and no error.
    /// </summary>
    /// <param name="receivedAt">Event time of a quote.</param>
    public static bool TryRead(ReadOnlySpan<byte> body, MeterId meter, UnixTime receivedAt, List<Input> into,
        out WireError error)
    {
        if (!TryName(body, out var name, out error)) return false;
        if (!IsOurs(name)) return Refuse(new WireError(WireCode.Unsupported, 0), out error);
        if (name is { C: 99, D: 98 }) return TryEvents(body, meter, name, into, out error);
        if (!TryBytes(body, out var bytes, out var at, out error)) return false;
        if (name == Own) return true;
        if (name == Quote)
        {
            into.Add(new AttestationQuote(meter.Twin, receivedAt, bytes.ToArray(), SignatureVerdict.Unchecked));
            return true;
        }
        return TryInput((InputKind)name.E, meter, bytes, at, into, out error);
    }

    /// <summary>The octet-string of a report of the given name; false when the body is none.</summary>
    public static bool TryReadBytes(ReadOnlySpan<byte> body, Obis wanted, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryName(body, out var name, out _) && name == wanted && TryBytes(body, out bytes, out _, out _);
    }

    private static bool TryName(ReadOnlySpan<byte> body, out Obis name, out WireError error)
    {
        name = default;
        var reader = new CosemReader(body);
        if (!reader.TryNext(out var root) || !reader.TryNext(out var first)) return Refuse(reader.Error, out error);
        error = new WireError(WireCode.WrongType, first.Offset);
        if (root.Tag != CosemTag.Structure || root.Count is not (2 or 3) || !first.TryObis(out name)) return false;
        error = default;
        return true;
    }

    private static bool TryBytes(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> bytes, out int at,
        out WireError error)
    {
        bytes = default;
        at = 0;
        var reader = new CosemReader(body);
        reader.TryNext(out var root);
        reader.TryNext(out _);
        if (!reader.TryNext(out var value)) return Refuse(reader.Error, out error);
        at = value.Offset;
        if (root.Count != 2 || value.Tag != CosemTag.OctetString || value.Content.Length > MaxBytes)
            return Refuse(new WireError(WireCode.WrongType, at), out error);
        if (!IsWhole(reader, body, out error)) return false;
        bytes = value.Content;
        return true;
    }

    private static bool TryInput(InputKind kind, MeterId meter, ReadOnlySpan<byte> payload, int at, List<Input> into,
        out WireError error)
    {
        if (!MayReport(kind)) return Refuse(new WireError(WireCode.Unsupported, 0), out error);
        var w = new ByteWriter(Envelope.Length + payload.Length);
        new Envelope(kind, meter.Twin).Write(w);
        w.Bytes(payload);
        try
        {
            into.Add(Input.Read(w.Written));
            error = default;
            return true;
        }
        catch (InvalidDataException)
        {
            return Refuse(new WireError(WireCode.BadValue, at), out error);
        }
    }

    private static bool TryEvents(ReadOnlySpan<byte> body, MeterId meter, Obis name, List<Input> into,
        out WireError error)
    {
        var reader = new CosemReader(body);
        reader.TryNext(out var root);
        reader.TryNext(out _);
        var profile = "";
        if (!reader.TryNext(out var item)) return Refuse(reader.Error, out error);
        if (root.Count == 3)
        {
            if (item.Tag != CosemTag.VisibleString || item.Text() is not { } text)
                return Refuse(new WireError(WireCode.WrongType, item.Offset), out error);
            profile = text;
            if (!reader.TryNext(out item)) return Refuse(reader.Error, out error);
        }
        if (item.Tag != CosemTag.Array) return Refuse(new WireError(WireCode.WrongType, item.Offset), out error);
        if (item.Count > MaxRows) return Refuse(new WireError(WireCode.TooManyElements, item.Offset), out error);
        var before = into.Count;
        for (var i = 0; i < item.Count; i++)
        {
            if (TryRow(ref reader, meter, profile, name, into, out error)) continue;
            into.RemoveRange(before, into.Count - before);
            return false;
        }
        if (IsWhole(reader, body, out error)) return true;
        into.RemoveRange(before, into.Count - before);
        return false;
    }

    private static bool TryRow(ref CosemReader reader, MeterId meter, string profile, Obis log, List<Input> into,
        out WireError error)
    {
        if (!reader.TryNext(out var row) || !reader.TryNext(out var clock) || !reader.TryNext(out var code))
            return Refuse(reader.Error, out error);
        if (row.Tag != CosemTag.Structure || row.Count != 2 || !clock.TryDateTime(out var time))
            return Refuse(new WireError(WireCode.WrongType, row.Offset), out error);
        if (!time.TryToUnixTime(0, out var at, out var bad))
            return Refuse(new WireError(bad.Code, clock.Offset), out error);
        var text = code.Tag == CosemTag.VisibleString ? code.Text()
            : code.TryInteger(out var number) ? number.ToString(CultureInfo.InvariantCulture) : null;
        if (text is null) return Refuse(new WireError(WireCode.WrongType, code.Offset), out error);
        into.Add(new DeviceEvent(meter, at, profile, text, $"log {log}"));
        error = default;
        return true;
    }

    private static bool IsWhole(in CosemReader reader, ReadOnlySpan<byte> body, out WireError error)
    {
        error = reader.IsDone && reader.Position == body.Length ? default
            : reader.Error.IsError ? reader.Error : new WireError(WireCode.TrailingBytes, reader.Position);
        return !error.IsError;
    }

    private static bool Refuse(WireError found, out WireError error)
    {
        error = found.IsError ? found : new WireError(WireCode.Truncated, found.Offset);
        return false;
    }
}
