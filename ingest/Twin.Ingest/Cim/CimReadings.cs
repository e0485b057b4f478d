using System.Globalization;
using System.Xml;
using Twin.Hardware;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Cim;

/// <summary>
/// One MeterReading: the meter, and interval blocks or registers. A ReadingType of 18 parts says what they are: part 3
/// the measuring period, 4 how it accumulates, 5 the direction, 7 energy, 16 the power of ten, 17 the unit. What is
/// no energy of electricity in Wh is passed over. An interval's time is its end.
/// </summary>
internal static class CimReadings
{
    /// <summary>Values of one block; more are refused.</summary>
    private const int MaxValues = 100_000;

    private readonly record struct Kind(Channel Channel, int Minutes, bool IsRegister, int Power);

    private readonly record struct Value(UnixTime At, decimal Amount, int Line, int Column);

    public static int Read(XmlReader xml, ObservationSink sink)
    {
        var device = "";
        var found = new List<(string Type, Value Value)>();
        CimReader.Parts(xml, part =>
        {
            if (part == "Meter") CimReader.Device(xml, ref device);
            else if (part == "IntervalBlocks") Block(xml, "IntervalReadings", found);
            else if (part == "Readings") Single(xml, found);
            else return false;
            return true;
        });
        if (sink.Check(device) is { } why) throw CimReader.Bad(xml, why);
        var told = 0;
        foreach (var (type, value) in found)
            if (KindOf(type) is { } kind && Tell(device, kind, value, sink)) told++;
        return told;
    }

    private static void Block(XmlReader xml, string each, List<(string, Value)> found)
    {
        var (type, values) = ("", new List<Value>());
        CimReader.Parts(xml, part =>
        {
            if (part == each) values.Add(One(xml, ref type));
            else if (part == "ReadingType") type = Reference(xml);
            else return false;
            return found.Count + values.Count <= MaxValues ? true
                : throw CimReader.Bad(xml, $"a MeterReading has over {MaxValues} values; send it in parts");
        });
        foreach (var value in values) found.Add((type, value));
    }

    private static void Single(XmlReader xml, List<(string, Value)> found)
    {
        var type = "";
        var value = One(xml, ref type);
        if (found.Count >= MaxValues)
            throw CimReader.Bad(xml, $"a MeterReading has over {MaxValues} values; send it in parts");
        found.Add((type, value));
    }

    private static Value One(XmlReader xml, ref string type)
    {
        UnixTime? at = null;
        decimal? amount = null;
        var (line, seen) = (xml as IXmlLineInfo, type);
        var (row, column) = (line?.LineNumber ?? 0, line?.LinePosition ?? 0);
        CimReader.Parts(xml, part =>
        {
            switch (part)
            {
                case "timeStamp": at = CimReader.Time(xml); break;
                case "value":
                    amount = decimal.TryParse(CimReader.Text(xml), NumberStyles.AllowLeadingSign
                        | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number
                        : throw CimReader.Bad(xml, "a value is a number");
                    break;
                case "ReadingType": seen = Reference(xml); break;
                default: return false;
            }
            return true;
        });
        type = seen;
        return at is { } time && amount is { } n ? new Value(time, n, row, column)
            : throw new CimError(row, column, "a reading has a timeStamp and a value");
    }

    private static string Reference(XmlReader xml)
    {
        var type = xml.GetAttribute("ref") ?? "";
        xml.Skip();
        return type;
    }

    /// <summary>
    /// Measuring periods as the standard numbers them: 1 ten minutes, 2 fifteen, 5 thirty, 6 five, 7 sixty. Directions:
    /// 1 forward, 19 reverse. Accumulation: 4 delta of the interval, 1 bulk and 3 cumulative are registers.
    /// </summary>
    private static Kind? KindOf(string type)
    {
        var parts = type.Split('.');
        if (parts.Length != 18 || parts[5] is not ("1" or "2") || parts[6] != "12" || parts[16] != "72") return null;
        Channel? channel = parts[4] switch { "1" => Channel.Import, "19" => Channel.Export, _ => null };
        var minutes = parts[2] switch { "1" => 10, "2" => 15, "5" => 30, "6" => 5, "7" => 60, _ => 0 };
        var isRegister = parts[3] is "1" or "3";
        if (channel is not { } c || !isRegister && (parts[3] != "4" || minutes == 0)
            || !int.TryParse(parts[15], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power)
            || power is not (0 or 3 or 6)) return null;
        return new Kind(c, minutes, isRegister, power);
    }

    private static bool Tell(string device, Kind kind, Value value, ObservationSink sink)
    {
        if (sink.Check(value.At) is { } why) throw new CimError(value.Line, value.Column, why);
        var scale = kind.Power switch { 3 => 1_000m, 6 => 1_000_000m, _ => 1m };
        if (Math.Abs(value.Amount) > long.MaxValue / 2 / scale)
            throw new CimError(value.Line, value.Column, $"{value.Amount} is more than a meter counts");
        var exact = value.Amount * scale;
        var wattHours = (long)decimal.Round(exact, MidpointRounding.AwayFromZero);
        if (wattHours != exact) sink.CountRounded();
        if (kind.IsRegister)
        {
            sink.Register(device, kind.Channel, value.At, wattHours);
            return true;
        }
        if (value.At.Seconds % (60L * kind.Minutes) != 0)
            throw new CimError(value.Line, value.Column, $"{value.At} ends no interval of {kind.Minutes} minutes");
        if (wattHours is < 0 or > int.MaxValue)
            throw new CimError(value.Line, value.Column, $"{value.Amount} is no energy of an interval");
        sink.Readings(device, kind.Channel, kind.Minutes, value.At.Minutes - kind.Minutes, [(int)wattHours], [], 0);
        return true;
    }
}
