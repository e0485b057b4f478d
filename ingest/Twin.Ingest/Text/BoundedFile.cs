using System.Text;

namespace Twin.Ingest.Text;

/// <summary>Small files that people write, read whole: one that is larger is not what it should be.</summary>
public static class BoundedFile
{
    /// <summary>A key or a certificate in PEM, a passphrase.</summary>
    public const int SmallBytes = 64 * 1024;

    /// <summary>The bytes; also of what tells no length, such as a pipe.</summary>
    /// <exception cref="IOException">It cannot be read, or is longer; the message names it.</exception>
    public static byte[] Read(string path, int most)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        var whole = new MemoryStream();
        var part = new byte[Math.Min(most + 1, 64 * 1024)];
        for (int n; (n = file.Read(part)) > 0;)
        {
            whole.Write(part, 0, n);
            if (whole.Length > most)
                throw new IOException($"{path} has more than {most} bytes; it is another file than is wanted here.");
        }
        return whole.ToArray();
    }

    /// <summary>The text, in UTF-8.</summary>
    /// <exception cref="IOException">It cannot be read, or is longer; the message names it.</exception>
    public static string ReadText(string path, int most)
    {
        using var reader = new StreamReader(new MemoryStream(Read(path, most)), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
