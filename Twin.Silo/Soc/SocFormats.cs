using System.Text.Encodings.Web;
using System.Text.Json;

namespace Twin.Silo.Soc;

/// <summary>In which words an event is told.</summary>
internal enum SocFormat : byte { Ocsf = 1, Ecs = 2, Cef = 3, Text = 4 }

/// <summary>Renders an event on one line.</summary>
internal static class SocFormats
{
    /// <summary>One line of JSON; letters of all languages as they are, control characters escaped.</summary>
    public static JsonSerializerOptions OneLine { get; } = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Of(SocEvent e, SocFormat format) => format switch
    {
        SocFormat.Ocsf => Ocsf.Of(e).ToJsonString(OneLine),
        SocFormat.Ecs => Ecs.Of(e).ToJsonString(OneLine),
        SocFormat.Cef => Cef.Of(e),
        _ => Rfc5424.OneLine(e.Sentence),
    };
}
