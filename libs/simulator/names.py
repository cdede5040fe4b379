"""Names from everywhere, by the language people speak at home. Given and family names are drawn apart, by chance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """A language, how many of a hundred households speak it, and the names that are common there."""

    code: str
    name: str
    weight: float
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    # Further given names, where people commonly have one.
    middles: tuple[str, ...] = ()
    has_two_families: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


TONGUES = (
    Tongue(
        code="en",
        name="English",
        weight=56,
        families=_words(
            "Abernathy Alderton Ashgrove Baines Barlow Beckett Bellweather Birch Blackwood Bramble Brightwater Calloway "
            "Carver Castellan Chambers Cobb Copeland Crane Croft Dalrymple Denholm Drummond Easterly Eldridge Fairbanks "
            "Farrow Fenwick Finch Fitzgerald Garrity Goodwin Graves Greenhalgh Hadley Hale Hargrove Harkness Hawthorne "
            "Holloway Huckabee Ingram Jessup Kearney Kettering Kirkbride Langley Larkin Lockhart MacAllister Marchbanks "
            "McTavish Merriweather Moss Nettleton Northcott O'Brien O'Dowd O'Malley Oakes Pemberton Pickering Pruitt "
            "Quillfeather Radcliffe Redfern Ridley Rourke Saltmarsh Sedgwick Shaw Smith-Harlow Stanhope Stokes Sutcliffe "
            "Tate Thistlewood Thorne Tillman Underhill Vance Wainwright Weatherby Whitlock Wilcox Winslow Yarrow Yates"
        ),
        women=_words(
            "Abigail Ada Alma Amelia Annabel Audrey Beatrice Bernice Bonnie Caroline Charlotte Clara Constance Cora "
            "Delia Dorothy Edith Eleanor Ellen Esther Evelyn Florence Frances Grace Harriet Hazel Helen Imogen Irene "
            "Ivy Joan Josephine June Lillian Louise Lucille Mabel Margaret Martha Maud Mildred Nora Olive Opal Pearl "
            "Phyllis Rosalind Ruth Sylvia Thelma Vera Viola Violet Winifred"
        ),
        men=_words(
            "Albert Alvin Amos Archibald Arthur Basil Bernard Calvin Cecil Chester Clarence Clifford Cyril Earl Edgar "
            "Edmund Elmer Ernest Eugene Floyd Francis Gilbert Harold Harvey Henry Herbert Homer Horace Hugh Irving "
            "Jasper Julian Leonard Leroy Lester Lionel Luther Marvin Maurice Melvin Milton Nelson Norman Oscar Percy "
            "Ralph Reuben Roland Rufus Stanley Theodore Vernon Walter Wilbur"
        ),
        middles=_words("A. B. C. D. E. F. G. H. J. L. M. N. P. R. S. T. W."),
    ),
    Tongue(
        code="es",
        name="Spanish",
        weight=17,
        has_two_families=True,
        families=_words(
            "Aguirre Alarcón Arellano Ávila Báez Barrios Beltrán Benítez Bermúdez Caballero Calderón Cárdenas Carrillo "
            "Cervantes Cifuentes Contreras Cordero Cortés De_la_Cruz Del_Río Escalante Espinoza Figueroa Fuentes "
            "Galindo Gallegos Godoy Guzmán Ibáñez Jiménez Ledesma Lozano Machado Maldonado Márquez Medrano Montaño "
            "Muñoz Núñez Ocampo Ordóñez Pacheco Palacios Peña Quintero Quiñones Rentería Rosales Saldaña Sepúlveda "
            "Solís Tovar Urrutia Valdés Villaseñor Yáñez Zúñiga"
        ),
        women=_words(
            "Adela Alondra Amparo Araceli Belén Blanca Carmen Catalina Consuelo Dolores Elvira Esperanza Estela Eugenia "
            "Graciela Guadalupe Inés Itzel Josefina Julieta Leticia Lourdes Lucía María_José Maricela Mercedes Noemí "
            "Pilar Rocío Rosario Sofía Soledad Teresa Verónica Ximena Yolanda"
        ),
        men=_words(
            "Abelardo Adrián Agustín Andrés Anselmo Armando Arturo Baltasar César Efraín Eliseo Emilio Esteban Fermín "
            "Gonzalo Guillermo Héctor Hernán Ignacio Isidro Joaquín José_Luis Julián Leandro Lisandro Martín Moisés "
            "Octavio Óscar Ramón Raúl Rogelio Rubén Salvador Tomás Vicente"
        ),
    ),
    Tongue(
        code="pl",
        name="Polish",
        weight=4,
        families=_words(
            "Adamczyk Błaszczyk Cieślak Dąbrowska Gołębiewski Grześkowiak Jabłońska Kaźmierczak Kołodziej Łuczak "
            "Malinowska Niedźwiecki Ostrowska Piątek Sobczak Stępień Szczepańska Świątek Walczak Wójcik Zawadzka Żurek"
        ),
        women=_words("Agnieszka Bożena Danuta Elżbieta Grażyna Halina Jadwiga Krystyna Małgorzata Wiesława Zofia"),
        men=_words("Bogdan Czesław Grzegorz Jarosław Kazimierz Lech Mirosław Stanisław Wacław Zbigniew Zdzisław"),
    ),
    Tongue(
        code="vi",
        name="Vietnamese",
        weight=4,
        families=_words("Bùi Cao Đặng Đinh Đỗ Hồ Huỳnh Lâm Lê Lương Lý Mai Ngô Nguyễn Phạm Phan Tạ Trần Trương Võ Vũ"),
        women=_words("Ánh Bích Châu Diễm Dung Hạnh Hoa Hồng Hương Lan Liên Loan Mai Nga Nhung Phượng Thảo Thu Tuyết Yến"),
        men=_words("An Bảo Cường Đạt Dũng Đức Hải Hiếu Hùng Khánh Khoa Long Minh Nam Phúc Quang Sơn Tâm Thắng Tuấn Vinh"),
        middles=_words("Thị Văn Ngọc Hữu Minh Thanh Kim Đình"),
    ),
    Tongue(
        code="ar",
        name="Arabic",
        weight=3,
        families=_words(
            "Abdallah Al-Amin Al-Hakim Al-Najjar Al-Sayyid Barakat Dabbagh El-Masry Fakhoury Ghanem Habib Haddad "
            "Hammoud Issa Kassab Khalil Mansour Nasser Rahal Saab Salameh Shaheen Tannous Younis Zaidan"
        ),
        women=_words("Amal Amina Fatima Ghada Hala Huda Iman Khadija Layla Maha Mariam Nadia Rania Salma Samira Yasmin"),
        men=_words("Adnan Ali Bassam Fadi Faisal Hani Hassan Ibrahim Jamal Karim Khalid Mahmoud Nabil Omar Samir Tariq Ziad"),
    ),
    Tongue(
        code="so",
        name="Somali",
        weight=2,
        families=_words("Abdi Aden Ahmed Cali Diriye Farah Guled Hersi Hirsi Ismail Jama Mohamud Nur Osman Roble Warsame"),
        women=_words("Aamina Asha Ayaan Deqa Fadumo Fowsiya Hodan Ifrah Khadra Ladan Nimco Sahra Ubah Zahra"),
        men=_words("Abdullahi Abdirahman Bashir Cabdi Daud Faarax Hassan Idris Jaamac Liban Mahad Nuur Said Yusuf"),
    ),
    Tongue(
        code="zh",
        name="Chinese",
        weight=3,
        families=_words("Cai Chen Cheng Deng Feng Gao Guo Han He Hu Huang Jiang Liang Lin Liu Lü Ma Pan Qian Shen Song Sun Tang Wei Wu Xie Xu Yang Yu Zeng Zhao Zheng Zhou Zhu"),
        women=_words("Aiping Dan Fang Hong Hui Jing Juan Lan Li Lihua Ling Mei Meiling Min Na Ping Qing Shufen Xia Xiaoyan Xiuying Yan Ying Yun"),
        men=_words("Bo Cheng Gang Guang Hai Hao Jian Jianguo Jun Kai Lei Liang Ming Peng Qiang Rong Tao Wei Wenbin Yi Yong Zhigang Zhong"),
    ),
    Tongue(
        code="tl",
        name="Tagalog",
        weight=2,
        families=_words("Abad Agbayani Bautista Catacutan Dela_Peña Dimaculangan Evangelista Lacson Macaraeg Manalo Ocampo Pangilinan Quiambao Salonga Tolentino Villanueva"),
        women=_words("Amihan Analyn Corazon Dalisay Erlinda Florencia Imelda Ligaya Luzviminda Maricel Perla Rosalinda Teresita"),
        men=_words("Amado Bayani Crisanto Danilo Eduardo Ernesto Isagani Jovito Leonardo Nestor Renato Rodrigo Virgilio"),
    ),
    Tongue(
        code="ht",
        name="Haitian Creole",
        weight=2,
        families=_words("Antoine Baptiste Célestin Désir Dieudonné Étienne François Guerrier Jean-Baptiste Jean-Louis Laguerre Morisseau Pierre-Louis Saint-Fleur Toussaint Valcin"),
        women=_words("Béatrice Fabiola Guerda Islande Josette Marie-Ange Marie-Thérèse Mirlande Nadège Rose-Marie Wideline Yvrose"),
        men=_words("Dieuseul Emmanuel Frantz Jean-Claude Jean-Robert Jocelyn Kénold Lucien Mackenson Pierre-Richard Wilner Yvon"),
    ),
    Tongue(
        code="uk",
        name="Ukrainian",
        weight=2,
        families=_words("Bondarenko Boyko Danylenko Hnatiuk Kovalchuk Kravets Lysenko Marchenko Oliynyk Petrenko Savchenko Shevchuk Tkachenko Vasylenko Zinchenko"),
        women=_words("Halyna Iryna Kateryna Lesia Liudmyla Nadiya Oksana Olena Solomiya Svitlana Tetiana Yaryna"),
        men=_words("Andriy Bohdan Dmytro Ihor Mykhailo Mykola Oleksandr Ostap Petro Taras Vasyl Yevhen"),
    ),
    Tongue(
        code="hi",
        name="Hindi",
        weight=2,
        families=_words("Agarwal Bhatt Chaturvedi Deshmukh Dwivedi Joshi Kapoor Khanna Kulkarni Malhotra Mehra Mishra Pandey Rathore Saxena Shukla Tiwari Verma"),
        women=_words("Anjali Asha Deepa Gita Indira Kamala Kavita Lakshmi Meena Nirmala Radha Rekha Savita Shanti Sunita Usha Vidya"),
        men=_words("Anil Arun Ashok Deepak Dinesh Gopal Hari Kishore Mahesh Mohan Naresh Prakash Rajesh Ramesh Sanjay Suresh Vijay"),
    ),
    Tongue(
        code="nv",
        name="Navajo",
        weight=1,
        families=_words("Begay Benally Bitsui Etsitty Nez Redhouse Tsinajinnie Tsosie Yazzie"),
        women=_words("Bernadine Delphine Emmaline Geraldine Lorena Marlene Rosita Verna Wilhelmina"),
        men=_words("Alfonso Delbert Emerson Harrison Herman Leland Raymond Roderick Wilson"),
    ),
    Tongue(
        code="hmn",
        name="Hmong",
        weight=1,
        families=_words("Cha Hang Her Khang Lor Moua Thao Vang Vue Xiong Yang"),
        women=_words("Bao Chee Dia Gao Kia Mai Mao Nou Pa Paj See Xee Yer"),
        men=_words("Blong Cheng Chue Fue Kou Leng Long Nao Pao Teng Tou Xai Yia"),
    ),
    Tongue(
        code="fr",
        name="French",
        weight=1,
        families=_words("Beauchêne Béranger Côté Delacroix Desrosiers Garçon Lefèvre L'Écuyer Noël Pelletier Saint-Aubin Thériault"),
        women=_words("Adèle Aimée Anaïs Cécile Édith Geneviève Hélène Léonie Mathilde Odile Zoé"),
        men=_words("André Benoît Étienne Fabrice Gaëtan Jérôme Loïc Mathieu Rémi Sébastien Théo"),
    ),
)  # fmt: skip
