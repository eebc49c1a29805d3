System.Console.WriteLine("soon");
