using System.Xml;
using Twin.Hardware;
using Twin.Hardware.Events;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Cim;

/// <summary>
/// One EndDeviceEvent: its time, the device (Assets), and the EndDeviceEventType, whose reference is the code of four
/// parts. A code without a meaning is kept as it is.
/// </summary>
internal static class CimEvents
{
    public static int Read(XmlReader xml, ObservationSink sink)
    {
        var (device, code, detail) = ("", "", "");
        UnixTime? at = null;
        CimReader.Parts(xml, part =>
        {
            switch (part)
            {
                case "createdDateTime": at = CimReader.Time(xml); break;
                case "reason": detail = CimReader.Text(xml); break;
                case "Assets": CimReader.Device(xml, ref device); break;
                case "EndDeviceEventType":
                    code = xml.GetAttribute("ref") ?? "";
                    xml.Skip();
                    break;
                default: return false;
            }
            return true;
        });
        if (at is not { } time) throw CimReader.Bad(xml, "an EndDeviceEvent has a createdDateTime");
        if (!IsCode(code))
            throw CimReader.Bad(xml, $"an EndDeviceEventType refers to a code of four numbers, not to '{code}'");
        if ((sink.Check(device) ?? sink.Check(time)) is { } why) throw CimReader.Bad(xml, why);
        sink.Event(device, time, EventProfiles.Cim, code, detail);
        return 1;
    }

    private static bool IsCode(string code) => code.Length <= 32 && code.Split('.') is { Length: 4 } parts
        && parts.All(p => p.Length is > 0 and <= 6 && p.All(char.IsAsciiDigit));
}
